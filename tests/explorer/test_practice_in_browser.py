"""The quiz can be passed and failed, and the training runs, pauses and goes on: in a browser."""

import pytest

from plogq.explorer.pages import PAGES

SEED = 7
LETTERS = "abcd"


def sheet(answers):
    """Give the quiz, graded."""
    return PAGES["quiz"].answer({"seed": SEED, "answers": answers})


def the_right_ones():
    return [question["right"] for question in sheet(["a"] * 8)["questions"]]


@pytest.mark.parametrize("right", [8, 0])
def test_the_quiz_by_keyboard(right, visit):
    rightly = the_right_ones()
    wrongly = [LETTERS[(LETTERS.index(letter) + 1) % 4] for letter in rightly]
    answers = rightly[:right] + wrongly[right:]
    graded = sheet(answers)
    assert graded["passed"] == (right == 8)
    page = visit(f"/quiz?seed={SEED}")
    for number, (letter, question) in enumerate(zip(answers, graded["questions"], strict=True)):
        form = page.locator(".quiz > li").nth(number)
        first = form.locator("input").first
        first.press("Space")
        for _ in range(LETTERS.index(letter)):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        verdict = form.locator(".quiz-why p").first
        verdict.wait_for()
        assert verdict.inner_text().startswith("Right." if right else "Not ")
        for choice in question["choices"]:
            assert choice["why"] in form.inner_text()
        assert page.evaluate("document.activeElement.closest('.quiz-why') !== null")
    page.get_by_text(graded["notice"]).wait_for()
    page.wait_for_url(f"**/quiz?seed={SEED}&answers={','.join(answers)}")
    page.reload()
    page.get_by_text(graded["notice"]).wait_for()
    page.get_by_role("button", name="New numbers").press("Enter")
    page.wait_for_url(lambda url: f"seed={SEED}&" not in url and "answers" not in url)
    assert page.locator(".quiz-why").count() == 0


def test_the_right_answer_is_not_sent_before_the_question_is_answered():
    for question in sheet([""] * 8)["questions"]:
        assert not question.get("right")
        assert not any(choice.get("why") for choice in question["choices"])


def test_the_training_runs_pauses_steps_and_starts_again(visit):
    page = visit("/training")
    steps = page.get_by_label("steps", exact=True)
    at = "Number(document.querySelector('.controls input[type=range]').value)"
    page.get_by_role("button", name="Back to the start").press("Enter")
    page.wait_for_function(f"() => {at} === 0")
    page.get_by_role("button", name="Train").press("Enter")
    page.get_by_role("button", name="Pause").wait_for()
    page.wait_for_function(f"() => {at} > 5")
    page.get_by_role("button", name="Pause").press("Enter")
    page.get_by_role("button", name="Go on").wait_for()
    paused = int(steps.input_value())
    page.wait_for_url(f"**/training?steps={paused}")
    one = page.get_by_role("button", name="One step")
    one.press("Enter")
    shows_step(page, paused + 1)
    page.reload()
    shows_step(page, paused + 1)


def shows_step(page, steps):
    """Wait until the numbers are those that Python gives for so many steps."""
    texts = [figure["text"] for figure in PAGES["training"].answer({"steps": steps})["readouts"]]
    page.wait_for_function(
        """texts => [...document.querySelectorAll(".readouts output")]
          .map((e) => e.innerText).join() === texts""",
        arg=",".join(texts),
    )
