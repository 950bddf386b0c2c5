// What each page draws; the names are those of src/plogq/explorer/pages/.
import crossEntropy from "./cross_entropy.jsx";
import decomposition from "./decomposition.jsx";
import softmax from "./softmax.jsx";

export const pages = {
  cross_entropy: crossEntropy,
  decomposition,
  softmax,
};
