// @ts-check
// The browser's Back undoes one step of the user.
//
// Streamlit makes an entry of the history whenever the app writes its address, also where the app
// only fills in what it shows (the first subject, say). Of these an entry becomes one that changes
// the page or what is looked at, and only the first after something the user did.

/** Keys of the address that a step changes; all others follow the place of a line or a slice. */
const STEPS = ["cohort", "run", "cycle", "subject", "compare", "study", "view", "pair", "stop",
  "present"];

/** What a user does. */
const ACTS = ["pointerdown", "click", "keydown"];

/**
 * Whether going from one address to another is a step.
 * @param {URL} from
 * @param {URL} to
 */
export function isStep(from, to) {
  if (from.pathname !== to.pathname) return true;
  return STEPS.some((key) => from.searchParams.get(key) !== to.searchParams.get(key));
}

/**
 * Let Streamlit make one entry for what the user did last, and none for what it does by itself.
 * @param {Pick<Window, "history" | "location" | "addEventListener">} window
 */
export function oneEntryAnAct(window) {
  const { history, location } = window;
  const push = history.pushState.bind(history);
  let acted = false;
  for (const act of ACTS) window.addEventListener(act, () => void (acted = true), true);
  window.addEventListener("popstate", () => void (acted = false), true);
  history.pushState = (data, unused, url) => {
    const from = new URL(location.href);
    if (acted && isStep(from, new URL(url ?? "", from))) {
      acted = false;
      push(data, unused, url);
    } else {
      history.replaceState(data, unused, url);
    }
  };
}
