"""The pages of the explorer: a file each, in reading order. What a page draws is in web/src/pages/."""  # noqa: E501

from plogq.explorer.page import Page
from plogq.explorer.pages import (
    binary,
    codes,
    cross_entropy,
    decomposition,
    divergences,
    elbo,
    errata,
    estimators,
    gradient_flow,
    information_gain,
    likelihood,
    losses,
    predictions,
    quiz,
    softmax,
    squared_error,
    surprisal,
    training,
    which_loss,
)

# surprisal -> entropy -> codes -> cross-entropy -> KL -> loss -> gradient
PAGES: dict[str, Page] = {
    module.__name__.rpartition(".")[2]: module.PAGE
    for module in (
        surprisal,
        codes,
        cross_entropy,
        decomposition,
        information_gain,
        softmax,
        binary,
        squared_error,
        gradient_flow,
        losses,
        likelihood,
        estimators,
        divergences,
        elbo,
        training,
        which_loss,
        quiz,
        predictions,
        errata,
    )
}
