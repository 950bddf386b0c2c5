// The explorer in a browser tab; and, as anywidget's module, one of its pages in a notebook.
import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "../styles/report.css";
import "../styles/explorer.css";
import { App } from "./App.jsx";
import { Widget } from "./Widget.jsx";

const root = document.getElementById("plogq-explorer");
if (root) {
  const specs = JSON.parse(document.getElementById("plogq-pages").textContent);
  render(<App specs={specs} name={location.pathname.slice(1)} />, root);
}

export default {
  render({ model, el }) {
    // In a root of its own: neither the notebook's styles nor the page's touch the other.
    const shadow = el.attachShadow({ mode: "open" });
    const styles = new CSSStyleSheet();
    styles.replaceSync(model.get("styles"));
    shadow.adoptedStyleSheets = [styles];
    render(<Widget model={model} />, shadow);
    return () => render(null, shadow);
  },
};
