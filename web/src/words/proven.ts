/** The time that a report proves. */

import type { Report } from "../verify/index.js";

/** The timestamp that counts; none if the policy asks for none, whatever the bundle holds. */
export function provenTime({ checks, timestamps }: Report): Report["timestamps"][number] | undefined {
  const check = checks.find(({ question }) => question === "when-signed");
  return check?.outcome === "not-required" ? undefined : timestamps[0];
}
