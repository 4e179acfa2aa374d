// @ts-check
// What stands around every page: a link past the sidebar, and one choice of light or dark for all.

const MENU = "[data-testid^=stMainMenuItem-theme-]";

/** Streamlit keeps the choice of a theme by the address at which the app was opened; a link to
 * another page would forget it. Keep it for every page of the list.
 * @param {Event} event */
function keepTheme({ target }) {
  const item = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest?.(MENU));
  const theme = item?.dataset.testid?.split("-").at(-1);
  if (!theme) return;
  for (const link of document.querySelectorAll("[data-testid=stSidebarNavLink]")) {
    const { pathname } = /** @type {HTMLAnchorElement} */ (link);
    localStorage.setItem(`stActiveTheme-${pathname}-v2`, JSON.stringify(theme));
  }
}

/** What the link leads to: the page's main view inside its component, else all right of the
 * sidebar. @returns {HTMLElement | null | undefined} */
function mainView() {
  const hosts = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
  const views = hosts.map((host) => host.shadowRoot?.querySelector("[data-main]"));
  return /** @type {HTMLElement} */ (views.find(Boolean) ??
    document.querySelector("[data-testid=stMain]"));
}

/** @returns {HTMLAnchorElement} */
function makeLink() {
  const link = Object.assign(document.createElement("a"),
    { className: "ascnet-skip", href: "#", textContent: "Skip to the main view" });
  link.addEventListener("click", (event) => {
    event.preventDefault(); // the address keeps what it says of the view
    const view = mainView();
    if (view && view.tabIndex < 0) view.tabIndex = -1;
    view?.focus();
  });
  return link;
}

/** Once a tab: pages come and go, the link and the menu stay. */
export default function around() {
  if (document.querySelector(".ascnet-skip")) return;
  document.body.prepend(makeLink());
  document.addEventListener("click", keepTheme, { capture: true });
}
