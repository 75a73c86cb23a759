/** The element's one stylesheet, shared by all of them; constructed, so that a strict CSP allows it. */

import text from "../../styles/element.css?inline";

let shared: CSSStyleSheet | undefined;

export function styleSheet(): CSSStyleSheet {
  if (shared === undefined) {
    shared = new CSSStyleSheet();
    shared.replaceSync(text);
  }
  return shared;
}
