// The report of a score as a page of its own: the data stand in the page as JSON.
import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "../styles/report.css";
import { Report } from "./Report.jsx";

const data = JSON.parse(document.getElementById("plogq-data").textContent);
render(<Report {...data} />, document.getElementById("plogq-report"));
