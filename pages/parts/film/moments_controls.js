// The controls of the comparison of moments: sliders, the handle, slices, and the first drawing.

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== undefined) made.textContent = text;
  return made;
}

function chip(side) {
  const made = element("b", "chip", side.letter);
  made.style.background = side.colour;
  return made;
}

/** One slider: of a side's own snapshots, or of slices seen for all sides. */
function sliderRow(last, place, label, moved) {
  const row = element("div", "row"), input = element("input");
  input.type = "range";
  input.min = 0;
  input.max = last;
  input.step = 1;
  input.value = place();
  input.setAttribute("aria-label", label);
  const said = element("span", "taken");
  input.addEventListener("input", () => moved(+input.value));
  row.append(input, said);
  return { row, input, said };
}

function linkTo(state, moment) {
  state.moment = moment;
  state.sides.forEach((side, n) => { side.at = state.header.places[moment][n]; });
  redraw(state);
}

/** What a run shows at that number of slices: its snapshot nearest at or before it. */
function taken(state, side) {
  const frame = frameOf(side), wanted = state.header.images[state.moment];
  const frames = side.film.header.frames;
  if (frame.images > wanted) return `${frame.label}, its first, ${frame.images} seen`;
  const behind = wanted - frame.images, over = side.at === frames.length - 1 && behind > 0;
  return `${frame.label}${over ? ", its last" : ""}, ${frame.images} seen`;
}

function makeSliders(state) {
  const { header, nodes, sides } = state, place = nodes.sliders;
  place.replaceChildren();
  state.rows = [];
  if (state.linked) {
    const made = sliderRow(header.images.length - 1, () => state.moment,
      "Slices seen, for all runs", (at) => linkTo(state, at));
    made.row.prepend(element("span", "name", "slices seen"));
    place.append(made.row);
    const line = element("div", "says");
    const texts = sides.map((side) => {
      const text = element("span"), one = element("span");
      one.append(chip(side), text);
      line.append(one);
      return text;
    });
    place.append(line);
    state.rows.push({ show: () => {
      made.input.value = state.moment;
      const seen = header.images[state.moment];
      made.said.textContent = `${seen.toLocaleString("en")} slices`;
      made.input.setAttribute("aria-valuetext", `${seen} slices seen`);
      sides.forEach((side, n) => {
        texts[n].textContent = ` ${side.name}: ${taken(state, side)}`;
      });
    } });
    return;
  }
  sides.forEach((side) => {
    const frames = side.film.header.frames;
    const made = sliderRow(frames.length - 1, () => side.at,
      `Moment ${side.letter}, ${side.name}`, (at) => { side.at = at; redraw(state); });
    const name = element("span", "name");
    name.append(chip(side), ` ${side.name}`);
    made.row.prepend(name);
    made.row.hidden = frames.length < 2;
    place.append(made.row);
    state.rows.push({ show: () => {
      const frame = frameOf(side);
      made.input.value = side.at;
      made.said.textContent = `${frame.label} · ${frame.images.toLocaleString("en")} slices`;
      made.input.setAttribute("aria-valuetext", made.said.textContent);
    } });
  });
}

function makeTable(state) {
  const table = state.nodes.table;
  table.replaceChildren();
  const head = element("tr");
  head.append(element("th"));
  state.sides.forEach((side) => {
    const cell = element("th");
    cell.append(chip(side), ` ${side.name}`);
    cell.title = side.about;
    head.append(cell);
  });
  table.append(head);
  state.cells = ROWS.map((texts) => {
    const [name, about] = texts.slice(0, 2).map((text) => text.replace("I_ro", counted(state)));
    const row = element("tr"), title = element("td", "", name);
    if (about) { title.title = about; title.className = "told"; }
    row.append(title);
    const cells = state.sides.map(() => element("td"));
    row.append(...cells);
    table.append(row);
    return cells;
  });
}

function choices(place, names, chosen, choose) {
  place.replaceChildren();
  if (names.length < 2) return;
  names.forEach((name, n) => {
    const button = element("button", "", name);
    button.setAttribute("aria-pressed", n === chosen());
    button.addEventListener("click", () => {
      choose(n);
      [...place.children].forEach((one, i) => one.setAttribute("aria-pressed", i === chosen()));
    });
    place.append(button);
  });
}

/** Which two sides are swiped over one another, where there are more than two. */
function makePair(state) {
  const place = state.nodes.pair;
  place.replaceChildren();
  if (state.sides.length < 3 || state.mode !== "swipe") return;
  [0, 1].forEach((end) => {
    const menu = element("select");
    menu.setAttribute("aria-label", end ? "Right of the handle" : "Left of the handle");
    state.sides.forEach((side, n) => {
      const option = element("option", "", `${side.letter} ${side.name}`);
      option.value = n;
      menu.append(option);
    });
    menu.value = state.pair[end];
    menu.addEventListener("change", () => {
      state.pair[end] = +menu.value;
      redraw(state);
    });
    place.append(menu);
  });
}

function show(state) {
  const { header, nodes } = state;
  makeSliders(state);
  makeTable(state);
  makePair(state);
  choices(nodes.mode, ["side by side", "swipe"], () => +(state.mode === "swipe"), (n) => {
    state.mode = n ? "swipe" : "beside";
    makePair(state);
    redraw(state);
  });
  choices(nodes.slices, header.labels, () => state.slice, (n) => {
    state.slice = n;
    redraw(state);
  });
  nodes.histogramTitle.textContent =
    `Histograms of ${counted(state)}, share of the sample's pixels, log; peaks ◆`;
  nodes.link.hidden = !header.mayLink;
  nodes.link.setAttribute("aria-pressed", state.linked);
}

function begin(state, next) {
  const { header, films } = next, before = state.header;
  const stays = before && before.pair === header.pair;
  state.header = header;
  state.sides = header.sides.map((side, n) => {
    const film = films[side.film], old = stays && state.sides[n];
    const at = Math.min(film.header.frames.length - 1, old ? old.at : side.at);
    return { ...side, film, at, letter: "ABCD"[n], scratch: document.createElement("canvas") };
  });
  if (!stays) {
    state.linked = header.linked;
    state.moment = header.moment;
    state.slice = 0;
    state.pair = [0, 1];
  }
  state.moment = Math.min(state.moment, Math.max(0, header.images.length - 1));
  state.slice = Math.min(state.slice, header.labels.length - 1);
  state.bothPainted = "";
  if (state.linked) linkTo(state, state.moment);
}

function listen(state) {
  const { nodes } = state, tiles = nodes.tiles;
  nodes.link.addEventListener("click", () => {
    state.linked = !state.linked;
    nodes.link.setAttribute("aria-pressed", state.linked);
    if (state.linked) linkTo(state, state.moment);
    makeSliders(state);
    redraw(state);
  });
  let held = null;
  const follow = (event) => {
    const box = tiles.getBoundingClientRect();
    state.split = Math.min(1, Math.max(0, (event.clientX - box.left - held.x) / held.w));
    redraw(state);
  };
  tiles.addEventListener("pointerdown", (event) => {
    if (state.mode !== "swipe") return;
    const box = tiles.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    held = state.tiles.find((t) =>
      t.name !== "both" && x >= t.x && x <= t.x + t.w && y >= t.y && y <= t.y + t.h);
    if (!held) return;
    tiles.setPointerCapture(event.pointerId);
    follow(event);
  });
  tiles.addEventListener("pointermove", (event) => { if (held) follow(event); });
  for (const name of ["pointerup", "pointercancel"]) {
    tiles.addEventListener(name, () => { held = null; });
  }
  tiles.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -0.02, ArrowRight: 0.02, PageUp: -0.2, PageDown: 0.2, Home: -1,
      End: 1 };
    const step = steps[event.key];
    if (!step || state.mode !== "swipe" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    state.split = Math.min(1, Math.max(0, Math.round(100 * (state.split + step)) / 100));
    redraw(state);
  });
  new ResizeObserver(() => redraw(state)).observe(state.root);
}

export default function mount(component) {
  const { parentElement, data } = component;
  const root = parentElement.querySelector(".moments");
  if (!data || !root) return;
  let state = root.moments;
  const fresh = !state;
  if (fresh) {
    const nodes = {};
    for (const node of root.querySelectorAll("[data-node]")) nodes[node.dataset.node] = node;
    state = root.moments = {
      root, nodes, both: document.createElement("canvas"), mode: "swipe", split: 0.5, drawn: 0,
      asked: 0, tiles: [], rows: [], cells: [],
    };
  }
  const next = unpackAll(data instanceof Uint8Array ? data : new Uint8Array(data));
  if (!fresh && state.header.id === next.header.id) return;
  begin(state, next);
  show(state);
  if (fresh) listen(state);
  redraw(state);
}
