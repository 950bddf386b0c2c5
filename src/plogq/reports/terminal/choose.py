"""The loss of a task on the terminal, and the questions that lead to it."""

from __future__ import annotations

from rich.console import Console
from rich.syntax import Syntax
from rich.text import Text

from plogq.doctor.choices import Choice, Question


def print_choice(choice: Choice) -> None:
    """Print the loss, its call, what that expects, and the mistake made there."""
    console = Console(highlight=False)
    console.print(Text(choice.loss, "bold"))
    console.print(Text(choice.why))
    for code in dict.fromkeys([choice.call, choice.plogq]):
        console.print()
        console.print(Syntax(code, "python", theme="ansi_light", background_color="default"))
    console.print()
    console.print(Text.assemble(("It takes: ", "bold"), choice.expects))
    console.print(Text.assemble(("The mistake: ", "bold"), choice.mistake))
    for code in choice.found_by:
        console.print(Text(f"The doctor finds it: plogq doctor --explain {code}", "dim"))


def ask(question: Question) -> str:
    """Ask on the terminal until a number of the list comes; Enter takes the first answer."""
    console = Console(highlight=False, stderr=True)
    console.print(Text(question.ask, "bold"))
    answers = list(question.options)
    for number, answer in enumerate(answers, 1):
        console.print(Text(f"  {number}  {question.options[answer]}"))
    while True:
        said = console.input(Text(f"1 to {len(answers)}, or Enter for 1: ")).strip() or "1"
        if said in answers:
            return said
        if said.isdecimal() and 1 <= int(said) <= len(answers):
            return answers[int(said) - 1]
        console.print(Text(f"{said!r} is none of them."))
