/** All flows, in the browser that is named. node:test prints them; the exit code tells cargo nextest. */

import { after, before, describe } from "node:test";
import { type BrowserName, launch } from "./driver.js";
import { budgetTests } from "./budget.js";
import { blockedFlows } from "./blocked-flows.js";
import { crossOriginFlows } from "./cross-origin-flows.js";
import { elementFlows } from "./element-flows.js";
import { fileFlows } from "./file-flows.js";
import { hostileFlows } from "./hostile-flows.js";
import { offlineFlows } from "./offline-flows.js";
import { savingFlows } from "./saving-flows.js";
import { browserName } from "./setting.js";
import { pageFlows } from "./page-flows.js";
import type { Stand } from "./stand.js";
import { severalFlows } from "./several-flows.js";
import { trustFlows } from "./trust-flows.js";
import { verdictFlows } from "./verdict-flows.js";

const stand: Stand = { name: browserName satisfies BrowserName, browser: undefined };
let close = async (): Promise<void> => undefined;

before(async () => {
  const launched = await launch(browserName);
  stand.browser = launched.browser;
  close = () => launched.close();
});
after(() => close());

describe("the budget", () => budgetTests(stand));
describe("verdicts", () => verdictFlows(stand));
describe("files", () => fileFlows(stand));
describe("several files", () => severalFlows(stand));
describe("trust", () => trustFlows(stand));
describe("hostile names", () => hostileFlows(stand));
describe("the element", () => elementFlows(stand));
describe("what keeps a check from running", () => blockedFlows(stand));
describe("the page", () => pageFlows(stand));
describe("the offline page", () => offlineFlows(stand));
describe("checking while saving", () => savingFlows(stand));
describe("another origin", () => crossOriginFlows(stand));
