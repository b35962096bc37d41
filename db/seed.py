"""Sample teams and staff: two regions, three tiers, every role, both languages."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from db import staff
from db.models import Staff
from domain.people import Department, Role, Tier

EAST, WEST = "east", "west"

TEAMS = (
    ("东区服务部", Tier.REGIONAL_DEPARTMENT, EAST, Department.SERVICE),
    ("西区服务部", Tier.REGIONAL_DEPARTMENT, WEST, Department.SERVICE),
    ("东区服务中心", Tier.REGIONAL_CENTRE, EAST, Department.SERVICE),
    ("西区服务中心", Tier.REGIONAL_CENTRE, WEST, Department.SERVICE),
    ("技术支持组", Tier.TECHNICAL_SUPPORT, None, Department.TECHNICAL_SUPPORT),
    ("备件供应组", Tier.TECHNICAL_SUPPORT, None, Department.PARTS_SUPPLY),
)

# name, e-mail, role, team, language, senior, calendar
PEOPLE = (
    ("李建国", "li.jianguo", Role.ENGINEER, 0, "zh-CN", True, "always"),
    ("张伟", "zhang.wei", Role.ENGINEER, 0, "zh-CN", False, "office"),
    ("刘芳", "liu.fang", Role.AGENT, 0, "zh-CN", False, "always"),
    ("孙静", "sun.jing", Role.SUPERVISOR, 0, "zh-CN", False, "always"),
    ("Tom Baker", "tom.baker", Role.ENGINEER, 1, "en", True, "always"),
    ("Amy Clark", "amy.clark", Role.ENGINEER, 1, "en", False, "office"),
    ("Ben Hall", "ben.hall", Role.AGENT, 1, "en", False, "always"),
    ("Carol King", "carol.king", Role.SUPERVISOR, 1, "en", False, "always"),
    ("吴强", "wu.qiang", Role.ENGINEER, 2, "zh-CN", True, "always"),
    ("David Moss", "david.moss", Role.ENGINEER, 3, "en", True, "always"),
    ("周敏", "zhou.min", Role.ENGINEER, 4, "zh-CN", True, "always"),
    ("何苗", "he.miao", Role.AGENT, 5, "zh-CN", False, "office"),
    ("马超", "ma.chao", Role.MANAGER, 2, "zh-CN", False, "office"),
    ("Grace Lee", "grace.lee", Role.MANAGER, 3, "en", False, "office"),
)


def address(name: str) -> str:
    """A sample member's e-mail address; the domain is reserved for examples (RFC 2606)."""
    return f"{name}@aftercare.example"


def add_staff(connection: Connection) -> int:
    """Add the sample teams and staff unless there are staff already; returns how many were added."""
    if connection.execute(select(func.count()).select_from(Staff)).scalar_one():
        return 0
    teams = [
        staff.add_team(connection, name, tier=tier, region=region, department=department)
        for name, tier, region, department in TEAMS
    ]
    for name, local, role, team, language, is_senior, calendar in PEOPLE:
        staff.add(
            connection,
            name,
            email=address(local),
            role=role,
            team_id=teams[team],
            language=language,
            is_senior=is_senior,
            calendar=calendar,
        )
    return len(PEOPLE)
