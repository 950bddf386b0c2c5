"""The pages of the explorer: a file each, in reading order. What a page draws is in web/src/pages/."""  # noqa: E501

from plogq.explorer.page import Page
from plogq.explorer.pages import (
    binary,
    cross_entropy,
    decomposition,
    predictions,
    softmax,
    surprisal,
    training,
)

# surprisal -> entropy -> codes -> cross-entropy -> KL -> loss -> gradient
PAGES: dict[str, Page] = {
    module.__name__.rpartition(".")[2]: module.PAGE
    for module in (
        surprisal,
        cross_entropy,
        decomposition,
        softmax,
        binary,
        training,
        predictions,
    )
}
