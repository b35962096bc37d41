"""This file checks that an operator's folder changes words, adds a language, and is held to account for its faults."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from domain.messages import Medium, MessageKind
from domain.standard import Standard
from settings import SettingsError, get_settings
from templates.check import House, find_faults
from templates.languages import HERE, LabelMissingError, labels, languages, word
from templates.render import WordsError, forget, language_for, render_message
from templates.samples import SAMPLE_NOW, sample_context
from templates.sources import source_faults
from tests.templates.conftest import WriteWords

K = MessageKind


def say(kind: MessageKind, medium: Medium = Medium.SMS, language: str = "en") -> str:
    words = render_message(
        kind,
        medium,
        language=language,
        context=sample_context(kind, language=language),
        recipient_name="Grace Miller",
        organisation="Aftercare",
        time_zone="Asia/Shanghai",
        link="https://care.example.com/p/1",
        now=SAMPLE_NOW,
    )
    return f"{words.subject or ''}\n{words.text}"


def faults(standard: Standard) -> list[str]:
    return find_faults(House.of(standard))[0]


def test_our_own_words_are_without_fault(standard: Standard) -> None:
    found, costs = find_faults(House.of(standard))

    assert found == []
    assert {cost.language for cost in costs} == set(languages())
    assert max(cost.most.segments for cost in costs) <= standard.courtesy.sms_segments


class TestAnOverride:
    def test_changes_one_template_and_no_other(self, own_words: WriteWords) -> None:
        before = say(K.TICKET_JOINED)

        own_words("en/ticket_closed/sms.txt", "{{ organisation }}: {{ ticket_number }} is closed. Bye!")

        assert say(K.TICKET_CLOSED) == "\nAftercare: TK-00001024 is closed. Bye!"
        assert "Bye!" not in say(K.TICKET_CLOSED, Medium.EMAIL)
        assert say(K.TICKET_JOINED) == before

    def test_may_extend_what_it_overrides(self, own_words: WriteWords) -> None:
        own_words(
            "en/customer.html",
            '{% extends "original/en/customer.html" %}{% block footer %}<p>Hotline 400 123 4567</p>{% endblock %}',
        )

        mail = say(K.TICKET_CLOSED, Medium.EMAIL)

        assert "Hotline 400 123 4567" in mail
        assert "Hello Grace Miller," in mail

    def test_that_extends_itself_is_told_how_to(self, own_words: WriteWords) -> None:
        own_words("en/customer.html", '{% extends "en/customer.html" %}')

        with pytest.raises(WordsError, match="'original/en/"):
            say(K.TICKET_CLOSED, Medium.EMAIL)

    def test_of_one_label_leaves_the_others(self, own_words: WriteWords) -> None:
        own_words("en/labels.toml", '[priority]\nP1 = "on fire"\n')

        assert word("en", "priority", "P1") == "on fire"
        assert word("en", "priority", "P2") == "P2 important"
        assert word("en", "state", "new") == "new"

    def test_may_begin_with_a_byte_order_mark(self, own_words: WriteWords) -> None:
        own_words("en/ticket_closed/sms.txt", "\ufeffClosed.")
        own_words("en/labels.toml", '\ufeff[priority]\nP1 = "on fire"\n')

        assert say(K.TICKET_CLOSED) == "\nClosed."
        assert word("en", "priority", "P1") == "on fire"

    def test_folder_that_does_not_exist_is_said(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("AFTERCARE_TEMPLATES", str(tmp_path / "nowhere"))
        get_settings.cache_clear()
        forget()

        with pytest.raises(SettingsError, match=r"AFTERCARE_TEMPLATES: .*nowhere is no folder"):
            languages()

        monkeypatch.undo()
        get_settings.cache_clear()
        forget()

    def test_without_a_fault_passes_the_check(self, own_words: WriteWords, standard: Standard) -> None:
        own_words("layouts/brand.html", "<p>Our brand</p>")
        own_words("en/ticket_closed/sms.txt", "{{ organisation }}: {{ ticket_number }} is closed.")
        own_words(
            "en/customer.html",
            '{% extends "original/en/customer.html" %}'
            '{% block greeting %}{% include "layouts/brand.html" %}{% endblock %}',
        )
        own_words("README.md", "Our words.")

        assert faults(standard) == []


class TestALanguage:
    def test_is_found_by_its_folder(self, own_words: WriteWords) -> None:
        own_words("de/labels.toml", '[language]\nname = "Deutsch"\n')

        assert languages() == ("de", "en", "zh-CN")
        assert language_for("de-AT") == "de"

    def test_borrows_nothing_from_another_one(self, own_words: WriteWords) -> None:
        file = own_words("de/labels.toml", '[language]\nname = "Deutsch"\n')

        assert set(labels("de")) == {"language"}
        with pytest.raises(LabelMissingError, match=f"{file} has no 'P1' in \\[priority\\]"):
            word("de", "priority", "P1")
        with pytest.raises(WordsError, match=r"words/de/ticket_closed/sms\.txt: no such file"):
            say(K.TICKET_CLOSED, language="de")

    def test_that_is_whole_is_used_and_without_fault(self, own_words: WriteWords, standard: Standard) -> None:
        folder = own_words("de/labels.toml", "").parent
        shutil.copytree(HERE / "en", folder, dirs_exist_ok=True)
        for file in folder.rglob("*.*"):
            if file.suffix != ".toml":
                text = file.read_text("utf-8").replace('"en/', '"de/')
                file.write_text(text.replace("is closed", "ist geschlossen"), "utf-8")
        forget()

        assert "ist geschlossen" in say(K.TICKET_CLOSED, language="de")
        assert faults(standard) == []

    def test_lacks_what_the_check_says(self, own_words: WriteWords, standard: Standard) -> None:
        folder = own_words("de/labels.toml", "").parent
        shutil.copytree(HERE / "en", folder, dirs_exist_ok=True)
        for file in folder.rglob("*.*"):
            if file.suffix != ".toml":
                file.write_text(file.read_text("utf-8").replace('"en/', '"de/'), "utf-8")
        text = (folder / "labels.toml").read_text("utf-8")
        (folder / "labels.toml").write_text(text.replace('P1 = "P1 urgent"\n', ""), "utf-8")
        (folder / "survey_thanks" / "sms.txt").unlink()
        (folder / "pages" / "plan.html").unlink()
        (folder / "progress_step" / "update.txt").unlink()
        forget()
        line = text.splitlines().index("[priority]") + 1

        assert set(faults(standard)) == {
            f"{folder}/labels.toml:{line}: no 'P1' in [priority]",
            f"{folder}/survey_thanks/sms.txt: no such file",
            f"{folder}/pages/plan.html: no such file",
            f"{folder}/progress_step/update.txt: no such file",
        }


# One fault a file, so that one check finds them all: file, words, and what is said of them.
MANY = {
    "en/ticket_closed/sms.txt": ("ok\n{% if link %}\nno end", ":3: Unexpected end of template"),
    "en/ticket_joined/sms.txt": ("ok\n{{ link | shout }}", ":2: No filter named 'shout'"),
    "en/ticket_received/sms.txt": ("ok\n{{ tickt_number }}", ":2: UndefinedError: 'tickt_number' is undefined"),
    "en/survey_thanks/sms.txt": ("ok\n{% if priority == 'P9' %}\n{{ hue }}\n{% endif %}", ":3: UndefinedError: 'hue'"),
    "en/ticket_cancelled/sms.txt": ("\n\n", ":1: says nothing with the sample's data"),
    "en/ticket_assigned/sms.txt": ("word " * 200 + "{{ link }}", ":1: 8 segments (GSM-7, 1094 units)"),
    "en/question_asked/sms.txt": ("{{ question }}", ":1: 30 segments (UCS-2, 2000 units) with the longest data (长…)"),
    "en/progress_step/email_subject.txt": ("\n", ":1: says nothing with the sample's data"),
    "en/ticket_reopened/email.html": (
        '{% extends "en/customer.html" %}{% block headline %}Open{% endblock %}{% block body %}<p> </p>{% endblock %}',
        ":1: its body says nothing with the sample's data",
    ),
    "en/work_completed/email.html": (
        '{% extends "en/customer.html" %}{% block headline %}Done{% endblock %}'
        "{% block body %}{{ summary | safe }}{% endblock %}",
        ":1: lets people's markup through; is there a '|safe'?",
    ),
    "en/pages/progress.html": ("<p>\n{{ tickt.number }}</p>", ":2: UndefinedError: 'tickt' is undefined"),
    "en/pages/plan.html": ("<p>\n{% for %}", ":2: "),
    "en/ticket_recieved/sms.txt": ("words", ": nothing uses this file; is its name right?"),
    "en/ticket_joined/update.txt": ("words", ": nothing uses this file; is its name right?"),
    "zh-CN/staff_assigned/email.html": (
        '{% extends "zh-CN/boss.html" %}',
        ":1: there is no template 'zh-CN/boss.html'",
    ),
}


class TestAFault:
    def test_is_found_once_with_file_and_line(self, own_words: WriteWords, standard: Standard) -> None:
        files = {name: own_words(name, text) for name, (text, _) in MANY.items()}

        found = faults(standard)

        assert len(found) == len(MANY), found
        for name, (_, said) in MANY.items():
            assert any(fault.startswith(f"{files[name]}{said}") for fault in found), (name, found)

    def test_of_an_encoding_is_said(self, own_words: WriteWords) -> None:
        file = own_words("zh-CN/ticket_closed/sms.txt", "")
        file.write_bytes("工单已关闭".encode("gbk"))

        assert list(source_faults()) == [f"{file}: it, or a file it uses, is not written in UTF-8"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("[priority]\nP1 = on fire\n", ":2: Invalid value"),
            ('stray = "x"\n', ": 'stray' stands in no [section]"),
            ('[priority]\nP9 = "x"\n', ":2: nothing uses 'P9' in [priority]"),
            ('[format]\nweekdays = ["Mon"]\n', ":2: 'weekdays' in [format] must name 7, not 1"),
            ("[priority]\nP1 = 1\n", ":2: 'P1' in [priority] must be like 'P"),
        ],
    )
    def test_of_the_labels_is_said(self, own_words: WriteWords, text: str, said: str) -> None:
        file = own_words("en/labels.toml", text)

        assert next(source_faults()).startswith(f"{file}{said}")

    def test_of_unreadable_labels_stops_no_other_language(self, own_words: WriteWords, standard: Standard) -> None:
        file = own_words("en/labels.toml", "[priority\n")

        found, costs = find_faults(House.of(standard))

        assert len(found) == 1
        assert found[0].startswith(f"{file}:1: ")
        assert {cost.language for cost in costs} == {"zh-CN"}

    def test_of_a_gap_in_a_label_names_the_labels(self, own_words: WriteWords) -> None:
        file = own_words("en/labels.toml", '[format]\nmoment = "{wekday} {day}"\n')

        with pytest.raises(WordsError, match=rf"{file}: 'moment' in \[format\] cannot be filled: 'wekday'"):
            say(K.TICKET_ASSIGNED)
