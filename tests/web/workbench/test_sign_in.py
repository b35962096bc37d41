"""Who gets in at the workbench, who does not, and when they are out again (S-72)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import func, select, update

from clock import utc_now
from db import seed, staff, staff_accounts
from db.models import SignInAttempt, Staff, StaffSession
from db.session import transaction
from domain.invitations import invite
from domain.standard import Standard
from settings import get_settings
from tests.web.conftest import KEY, Site
from tests.web.workbench.conftest import PASSWORD, MakeBench
from tests.web.workbench.forms import Bench, forms_of, text_of
from web.app import create_app

WHO = "sun.jing"


def sign_in(client: TestClient, email: str, password: str, **more: str) -> Response:
    return client.post(
        "/workbench/sign-in", data={"email": email, "password": password, **more}, follow_redirects=False
    )


def asked_of(dependant: Any) -> set[str]:
    """The names of all dependencies, those of dependencies too."""
    return {part.call.__name__ for part in dependant.dependencies}.union(*map(asked_of, dependant.dependencies))


def is_in(client: TestClient) -> bool:
    answer = client.get("/workbench", follow_redirects=False)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200


def test_a_visitor_is_led_to_the_sign_in_and_from_there_to_where_they_wanted(site: Site, make_bench: MakeBench) -> None:
    make_bench(WHO)

    asked = site.client.get("/workbench/account?done=language", follow_redirects=False)
    page = site.client.get(asked.headers["location"])
    form = forms_of(page)["/workbench/sign-in?lang=zh-CN"] | {"email": seed.address(WHO), "password": PASSWORD}
    answer = site.client.post("/workbench/sign-in", data=form, follow_redirects=False)

    assert asked.status_code == 303
    assert answer.headers["location"] == "/workbench/account?done=language"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/workbench\\@evil.example",
        "/workbench//evil",
        "/mailbox",
        "/workbenchx",
    ],
)
def test_nobody_is_led_to_another_site_after_signing_in(site: Site, make_bench: MakeBench, elsewhere: str) -> None:
    make_bench(WHO)

    answer = sign_in(site.client, seed.address(WHO), PASSWORD, next=elsewhere)

    assert answer.headers["location"] in ("/workbench", "/workbench//evil")


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(site: Site, make_bench: MakeBench) -> None:
    make_bench(WHO)

    wrong = sign_in(site.client, seed.address(WHO), "not this one")
    unknown = sign_in(site.client, "nobody@aftercare.example", "not this one")
    no_password = sign_in(site.client, seed.address("ma.chao"), "nobody has this password")

    assert wrong.status_code == unknown.status_code == no_password.status_code == 401
    assert text_of(wrong) == text_of(unknown) == text_of(no_password)


@pytest.mark.parametrize("email", ["", "\x00", "a" * 100_000, "🙂", "‮evil", "<script>", "{{97*131}}", "' OR 1=1 --"])
def test_no_address_breaks_the_sign_in(site: Site, email: str) -> None:
    answer = sign_in(site.client, email, "\x00")

    assert answer.status_code == 401
    assert "<script>" not in answer.text
    assert "12707" not in text_of(answer)


def test_after_too_many_attempts_even_the_right_password_waits_but_not_for_ever(
    site: Site, make_bench: MakeBench, standard: Standard
) -> None:
    make_bench(WHO)
    address = seed.address(WHO)

    for _ in range(standard.workbench.attempts_per_account):
        assert sign_in(site.client, address, "not this one").status_code == 401
    refused = sign_in(site.client, address.upper(), PASSWORD)
    with transaction(site.database) as connection:
        connection.execute(update(SignInAttempt).values(first_at=utc_now() - standard.workbench.attempts_within))
    later = sign_in(site.client, address, PASSWORD)

    assert refused.status_code == 429
    assert "15" in text_of(refused)
    assert later.status_code == 303


def test_many_accounts_tried_from_one_address_are_limited_too(
    site: Site, make_bench: MakeBench, standard: Standard
) -> None:
    make_bench(WHO)
    now, within = utc_now(), standard.workbench.attempts_within
    with transaction(site.database) as connection:
        for _ in range(standard.workbench.attempts_per_address):
            staff_accounts.count_attempts(connection, ("address unknown",), within=within, now=now)

    assert sign_in(site.client, seed.address(WHO), PASSWORD).status_code == 429


def test_signing_in_forgets_the_failures_before_it(site: Site, make_bench: MakeBench, standard: Standard) -> None:
    make_bench(WHO)

    for _ in range(3):
        for _ in range(standard.workbench.attempts_per_account - 1):
            sign_in(site.client, seed.address(WHO), "not this one")
        assert sign_in(site.client, seed.address(WHO), PASSWORD).status_code == 303


def test_a_token_that_somebody_planted_is_worth_nothing_after_signing_in(site: Site, make_bench: MakeBench) -> None:
    make_bench(WHO)
    site.client.cookies.set("aftercare", "planted")

    answer = sign_in(site.client, seed.address(WHO), PASSWORD)

    assert "planted" not in answer.headers["set-cookie"]
    assert not is_in(TestClient(create_app(), cookies={"aftercare": "planted"}))


def test_signing_out_ends_the_session_at_the_server(bench: Bench) -> None:
    token = bench.client.cookies["aftercare"]
    page = bench.get("/workbench")

    answer = bench.send("/workbench/sign-out", bench.fill(page, "/workbench/sign-out"))

    assert answer.headers["location"] == "/workbench/sign-in"
    assert not is_in(TestClient(create_app(), cookies={"aftercare": token}))


def test_only_a_hash_of_the_token_is_kept(site: Site, bench: Bench) -> None:
    token = bench.client.cookies["aftercare"]

    assert token not in str(site.everything())
    assert PASSWORD not in str(site.everything())


@pytest.mark.parametrize("limit", ["expires_at", "last_seen_at"])
def test_a_session_ends_by_itself(site: Site, bench: Bench, standard: Standard, limit: str) -> None:
    is_absolute = limit == "expires_at"
    moment = utc_now() - (timedelta(seconds=1) if is_absolute else standard.workbench.idle_after)
    with transaction(site.database) as connection:
        connection.execute(update(StaffSession).values({limit: moment}))

    assert not is_in(bench.client)


def test_who_has_left_is_out_at_once(site: Site, bench: Bench) -> None:
    with transaction(site.database) as connection:
        connection.execute(update(Staff).where(Staff.id == bench.staff_id).values(is_active=False))

    assert not is_in(bench.client)
    assert sign_in(bench.client, seed.address(WHO), PASSWORD).status_code == 401


def test_another_password_signs_out_everywhere_else(bench: Bench, make_bench: MakeBench) -> None:
    other = make_bench(WHO)
    form = bench.fill(
        bench.get("/workbench/account"),
        "/workbench/account/password",
        present=PASSWORD,
        password="another good password",
    )

    answer = bench.send("/workbench/account/password", form)

    assert answer.status_code == 303
    assert is_in(bench.client)
    assert not is_in(other.client)
    assert sign_in(other.client, seed.address(WHO), PASSWORD).status_code == 401
    assert sign_in(other.client, seed.address(WHO), "another good password").status_code == 303


@pytest.mark.parametrize(
    ("present", "password"), [("not this one", "another good password"), (PASSWORD, "short"), (PASSWORD, "x" * 201)]
)
def test_a_password_is_not_changed_without_the_present_one_or_to_a_bad_one(
    bench: Bench, present: str, password: str
) -> None:
    form = bench.fill(
        bench.get("/workbench/account"), "/workbench/account/password", present=present, password=password
    )

    answer = bench.send("/workbench/account/password", form)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert sign_in(bench.client, seed.address(WHO), PASSWORD).status_code == 303


def test_the_language_is_chosen_and_stays(bench: Bench) -> None:
    form = bench.fill(bench.get("/workbench/account"), "/workbench/account/language", language="en")

    bench.send("/workbench/account/language", form)

    assert "My tickets" in bench.get("/workbench").text


@pytest.mark.parametrize("csrf", [None, "", "x", "ü"])
def test_a_form_without_the_sessions_own_token_is_refused(site: Site, bench: Bench, csrf: str | None) -> None:
    before = site.everything()

    answer = bench.send(
        "/workbench/account/language", {"language": "en"} | ({"csrf": csrf} if csrf is not None else {})
    )

    assert answer.status_code == 403
    assert site.everything() == before


def test_another_sessions_token_does_not_fit(bench: Bench, make_bench: MakeBench) -> None:
    other = make_bench("ma.chao")
    theirs = other.fill(other.get("/workbench/account"), "/workbench/account/language", language="en")

    assert bench.send("/workbench/account/language", theirs).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}],
)
def test_what_another_site_sends_is_refused(site: Site, bench: Bench, headers: dict[str, str]) -> None:
    form = bench.fill(bench.get("/workbench/account"), "/workbench/account/language", language="en")
    signing_in = {"email": seed.address(WHO), "password": PASSWORD}

    assert bench.client.post("/workbench/account/language", data=form, headers=headers).status_code == 403
    assert site.client.post("/workbench/sign-in", data=signing_in, headers=headers).status_code == 403


def test_in_public_the_cookie_travels_only_encrypted_and_belongs_to_this_host(
    environment: pytest.MonkeyPatch, site: Site, make_bench: MakeBench
) -> None:
    make_bench(WHO)
    plain = sign_in(site.client, seed.address(WHO), PASSWORD).headers["set-cookie"]
    environment.setenv("AFTERCARE_PUBLIC_URL", "https://service.example.com")
    get_settings.cache_clear()
    public = sign_in(site.client, seed.address(WHO), PASSWORD).headers["set-cookie"]

    assert plain.startswith("aftercare=")
    assert public.startswith("__Host-aftercare=")
    assert {"Secure", "HttpOnly", "Path=/"} <= set(public.split("; "))
    assert "HttpOnly" in plain
    assert "samesite=lax" in public.lower()


def test_an_invitation_lets_choose_a_password_once(site: Site) -> None:
    with transaction(site.database) as connection:
        staff_id = staff.actor(connection, seed.address(WHO)).id
    assert staff_id is not None
    path = f"/workbench/invitation/{invite(staff_id, None, key=KEY, expires_at=utc_now() + timedelta(days=1))}"

    opened = site.client.get(path)
    too_short = site.client.post(path, data={"password": "short"})
    chosen = site.client.post(path, data={"password": PASSWORD}, follow_redirects=False)
    again = site.client.post(path, data={"password": "another good password"})

    assert opened.status_code == 200
    assert too_short.status_code == 422
    assert chosen.headers["location"] == "/workbench"
    assert is_in(site.client)
    assert again.status_code == site.client.get(path).status_code == 410
    assert sign_in(site.client, seed.address(WHO), PASSWORD).status_code == 303


@pytest.mark.parametrize("fault", ["altered", "expired", "foreign key"])
def test_an_invitation_that_is_not_good_says_so(site: Site, fault: str) -> None:
    ends = utc_now() + timedelta(days=-1 if fault == "expired" else 1)
    token = invite(1, None, key="another key of somebody" if fault == "foreign key" else KEY, expires_at=ends)

    answer = site.client.post(
        f"/workbench/invitation/{token}{'x' if fault == 'altered' else ''}", data={"password": PASSWORD}
    )

    assert answer.status_code == 410
    with transaction(site.database) as connection:
        assert connection.execute(select(func.count(Staff.password_hash))).scalar_one() == 0


def test_no_form_of_the_workbench_forgets_the_door() -> None:
    """Whatever changes something asks for the session and its token, but for the two that begin a session."""
    parts = [part.original_router.routes for part in create_app().routes if hasattr(part, "original_router")]
    found = {
        route.path: asked_of(route.dependant)
        for route in itertools.chain(*parts)
        if route.path.startswith("/workbench") and "POST" in route.methods
    }

    assert len(found) > 4
    open_ones = {path for path, asked in found.items() if "signed_in" not in asked}
    assert open_ones == {"/workbench/sign-in", "/workbench/invitation/{token}"}
