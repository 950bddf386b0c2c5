"""The pages of the explorer: a file each, in reading order. What a page draws is in web/src/pages/."""  # noqa: E501

from plogq.explorer.page import Page
from plogq.explorer.pages import (
    binary,
    codes,
    convexity,
    cross_entropy,
    decomposition,
    distillation,
    divergences,
    elbo,
    errata,
    estimators,
    gradient_flow,
    history,
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
        convexity,
        gradient_flow,
        losses,
        distillation,
        likelihood,
        estimators,
        divergences,
        elbo,
        training,
        which_loss,
        quiz,
        predictions,
        history,
        errata,
    )
}
