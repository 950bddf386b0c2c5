// What each page draws; the names are those of src/plogq/explorer/pages/.
import binary from "./binary.jsx";
import crossEntropy from "./cross_entropy.jsx";
import decomposition from "./decomposition.jsx";
import predictions from "./predictions.jsx";
import softmax from "./softmax.jsx";
import surprisal from "./surprisal.jsx";
import training from "./training.jsx";

export const pages = {
  binary,
  cross_entropy: crossEntropy,
  decomposition,
  predictions,
  softmax,
  surprisal,
  training,
};
