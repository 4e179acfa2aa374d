// @ts-check
// Keeps the form of a new run in this tab of the browser, so that a reload gives it back.

const KEY = "ascnet draft of the new run";

/** Whether the page that asks was itself loaded anew, and not come to from another one.
 * @returns {boolean} */
function reloaded() {
  const how = /** @type {PerformanceNavigationTiming | undefined} */ (
    performance.getEntriesByType("navigation")[0]);
  return how?.type === "reload" && new URL(how.name).pathname === location.pathname;
}

/** Python sends the form as `kept`; where it knows of none yet, it is told what this tab holds.
 * @param {{ data: { kept: string } | null,
 *   setStateValue: (name: string, value: unknown) => void }} component */
export default function draft({ data, setStateValue }) {
  if (!data) return;
  if (data.kept) sessionStorage.setItem(KEY, data.kept);
  else setStateValue("told", { kept: sessionStorage.getItem(KEY) ?? "", reloaded: reloaded() });
}
