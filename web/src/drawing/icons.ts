/** The icons: strokes on a square of 24, in the text's colour. They only ever stand beside words. */

import { svg } from "./nodes.js";

const CIRCLE = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
const QUESTION = "M9.6 9.4a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1.1.9-1.1 1.7v.3M12 16.6v.01";

const PATHS = {
  verified: "M12 2.8l7.5 2.7v5.7c0 4.6-3.1 8.1-7.5 10-4.4-1.9-7.5-5.4-7.5-10V5.500z M8.300 12l2.600 2.600 4.900-5.300",
  "verified-own":
    "M10 11.500a3.700 3.700 0 1 0 0-7.400 3.700 3.700 0 0 0 0 7.400z M3.500 20c.3-3.500 2.900-5.600 6.500-5.600 1.200 0 2.200.2 3.100.6 M15.500 18.300l2 2 4-4.500",
  outdated: `${CIRCLE} M12 7.500v4.800l3.200 1.900`,
  incomplete: "M12 3a9 9 0 1 1-9 9 M12 7.500v8 M8.700 12.300l3.300 3.300 3.300-3.300",
  mismatch: "M8.300 3h7.400L21 8.300v7.400L15.700 21H8.300L3 15.700V8.300z M12 7.800v5 M12 16.200v.01",
  revoked: `${CIRCLE} M5.700 5.700l12.600 12.600`,
  untrusted:
    "M10 11.500a3.700 3.700 0 1 0 0-7.400 3.700 3.700 0 0 0 0 7.400z M3.500 20c.3-3.500 2.900-5.600 6.500-5.600 1.200 0 2.200.2 3.100.6 M16.300 14.800a1.900 1.900 0 1 1 2.700 1.700c-.5.3-.8.7-.8 1.300 M18.200 20.600v.01",
  "not-checked": `M5.600 5.600a9 9 0 0 1 3-2 M3.300 14.300a9 9 0 0 1 0-4.600 M8.600 20.400a9 9 0 0 1-3-2 M15.400 20.400a9 9 0 0 1-3.400.6 M18.400 18.400a9 9 0 0 0 2-3 M20.700 9.700a9 9 0 0 0-2.300-4.100 M15.400 3.600a9 9 0 0 0-3.400-.6 ${QUESTION}`,
  file: "M6.500 3h7.300L18 7.200V21H6.500z M13.500 3v4.500H18",
  choose:
    "M6.500 3h7.300L18 7.200V11 M13.500 3v4.500H18 M6.500 3v18h5 M16 20.500a3.300 3.300 0 1 0 0-6.600 3.300 3.300 0 0 0 0 6.600z M18.400 19.600l2.400 2.400",
  passed: `${CIRCLE} M8.200 12.200l2.600 2.600 5-5.300`,
  failed: `${CIRCLE} M9 9l6 6 M15 9l-6 6`,
  "check-not-checked": `${CIRCLE} ${QUESTION}`,
  "not-required": `${CIRCLE} M8.500 12h7`,
  time: `${CIRCLE} M12 7.500v4.800l3.200 1.900`,
  signer: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M4.800 20.500c.4-3.700 3.200-5.900 7.200-5.900s6.800 2.200 7.200 5.900",
  authority: "M4 9.500L12 4l8 5.500z M6 9.500V17 M10 9.500V17 M14 9.500V17 M18 9.500V17 M4 20h16",
  anchor:
    "M12 8.200a2.200 2.200 0 1 0 0-4.400 2.200 2.200 0 0 0 0 4.400z M12 8.200V20.500 M8.500 11.500h7 M4.500 14c.4 3.900 3.200 6.500 7.500 6.500s7.100-2.600 7.500-6.500",
} as const;

export type IconName = keyof typeof PATHS;

/** The strokes of an icon, for a picture that places them itself. */
export function strokes(name: IconName): SVGPathElement {
  return svg("path", { d: PATHS[name] });
}

/** An icon on its own; words beside it say what it means. */
export function icon(name: IconName): SVGSVGElement {
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, strokes(name));
}
