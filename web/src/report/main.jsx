// The report of a result as a page of its own: the data stand in the page as JSON.
import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "../styles/report.css";
import { Report } from "./Report.jsx";
import { SectionsReport } from "./SectionsReport.jsx";

const data = JSON.parse(document.getElementById("plogq-data").textContent);
const Page = data.page ? SectionsReport : Report;
render(<Page {...data} />, document.getElementById("plogq-report"));
