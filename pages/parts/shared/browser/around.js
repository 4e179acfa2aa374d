// @ts-check
// What is mended around every page: one choice of light or dark for all of them, and where the link
// past the sidebar leads.

const THEME = "[data-testid^=stMainMenuItem-theme-]", SKIP = "[data-testid=stSkipToContent]";

/** Streamlit keeps the choice of a theme by the address at which the app was opened; a link to
 * another page would forget it. Keep it for every page of the list. @param {string} theme */
function keepTheme(theme) {
  for (const link of document.querySelectorAll("[data-testid=stSidebarNavLink]")) {
    const { pathname } = /** @type {HTMLAnchorElement} */ (link);
    localStorage.setItem(`stActiveTheme-${pathname}-v2`, JSON.stringify(theme));
  }
}

/** Streamlit's link leads to all right of the sidebar; where a component is the page's main view,
 * the focus goes there, and its keys work at once. */
function focusMainView() {
  const hosts = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
  const views = hosts.map((host) => host.shadowRoot?.querySelector("[data-main]"));
  /** @type {HTMLElement | null | undefined} */ (views.find(Boolean))?.focus();
}

/** @param {Event} event */
function pressed({ target }) {
  const { closest } = /** @type {Element} */ (target);
  const item = /** @type {HTMLElement | null} */ (closest?.call(target, THEME));
  if (item) keepTheme(`${item.dataset.testid?.split("-").at(-1)}`);
  else if (closest?.call(target, SKIP)) setTimeout(focusMainView);
}

/** Once a tab: pages come and go, the menu and the link stay. */
export default function around() {
  const tab = /** @type {any} */ (globalThis);
  if (tab.ascnetAround) return;
  tab.ascnetAround = true;
  document.addEventListener("click", pressed, { capture: true });
}
