// What each page draws; the names are those of src/plogq/explorer/pages/.
import binary from "./binary.jsx";
import codes from "./codes.jsx";
import convexity from "./convexity.jsx";
import crossEntropy from "./cross_entropy.jsx";
import decomposition from "./decomposition.jsx";
import distillation from "./distillation.jsx";
import divergences from "./divergences.jsx";
import elbo from "./elbo.jsx";
import errata from "./errata.jsx";
import estimators from "./estimators.jsx";
import gradientFlow from "./gradient_flow.jsx";
import history from "./history.jsx";
import informationGain from "./information_gain.jsx";
import losses from "./losses.jsx";
import likelihood from "./likelihood.jsx";
import predictions from "./predictions.jsx";
import quiz from "./quiz.jsx";
import softmax from "./softmax.jsx";
import squaredError from "./squared_error.jsx";
import surprisal from "./surprisal.jsx";
import training from "./training.jsx";
import whichLoss from "./which_loss.jsx";

export const pages = {
  binary,
  codes,
  convexity,
  cross_entropy: crossEntropy,
  decomposition,
  distillation,
  divergences,
  elbo,
  errata,
  estimators,
  gradient_flow: gradientFlow,
  history,
  information_gain: informationGain,
  losses,
  likelihood,
  predictions,
  quiz,
  softmax,
  squared_error: squaredError,
  surprisal,
  training,
  which_loss: whichLoss,
};
