// Pointer and wheel: drag the threshold in the histogram; move, pan, zoom and draw in the planes.

// --- the histogram's pointer ---------------------------------------------------------------------

function listenToChart(state) {
  const { chart } = state;
  const place = (event) => {
    const box = chart.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const move = (level) => {
    const which = state.dragging.which;
    if (which === "upper") setThreshold(state, { upper: Math.max(level, state.t) });
    else setThreshold(state, { t: Math.min(level, state.upper ?? 255) });
  };
  chart.addEventListener("pointerdown", (event) => {
    if (event.button || !state.data) return;
    state.root.focus({ preventScroll: true });
    chart.setPointerCapture(event.pointerId);
    const area = chartArea(state), [x, y] = place(event);
    const near = (level) => level !== null && Math.abs(xOfLevel(area, level) - x) <= GRAB;
    const held = near(state.t) ? "t" : near(state.upper) ? "upper" : null;
    const peak = held ? -1 : peakAt(state, area, x, y);
    state.dragging = { which: held ?? "t", from: x, peak, moved: false };
    if (held) return;
    const level = levelOfX(area, x);
    if (event.shiftKey || state.upper !== null) { // the nearer line of the band follows
      const lower = state.upper === null ? level < state.t
        : Math.abs(level - state.t) < Math.abs(level - state.upper);
      if (state.upper === null) {
        setThreshold(state, lower ? { t: level, upper: state.t } : { upper: level });
      }
      state.dragging = { which: lower ? "t" : "upper", from: x, peak: -1, moved: true };
      move(level);
    } else if (peak >= 0) takePeak(state, peak);
    else move(level);
  });
  chart.addEventListener("pointermove", (event) => {
    if (!state.data) return;
    const area = chartArea(state), [x, y] = place(event);
    if (state.dragging) {
      state.dragging.moved ||= Math.abs(x - state.dragging.from) > 2;
      if (state.dragging.moved) move(levelOfX(area, x));
      return;
    }
    const inside = x >= area.x && x <= area.x + area.width;
    state.hover = inside && y < area.y + area.height ? levelOfX(area, x) : null;
    state.hoverPeak = inside ? peakAt(state, area, x, y) : -1;
    const near = [state.t, state.upper].some(
      (level) => level !== null && Math.abs(xOfLevel(area, level) - x) <= GRAB);
    chart.style.cursor = near ? "ew-resize" : state.hoverPeak >= 0 ? "pointer" : "crosshair";
    redraw(state);
  });
  const release = () => {
    if (!state.dragging) return;
    state.dragging = null;
    report(state, SETTLE.pointer);
    redraw(state);
  };
  chart.addEventListener("pointerup", release);
  chart.addEventListener("pointercancel", release);
  chart.addEventListener("pointerleave", () => {
    state.hover = null;
    state.hoverPeak = -1;
    redraw(state);
  });
}

// --- the planes' pointer -------------------------------------------------------------------------

function listenToPlane(state, plane) {
  const { canvas } = plane;
  let drag = null, wheel = 0;
  canvas.addEventListener("pointerdown", (event) => {
    if (!state.volume) return;
    event.preventDefault();
    state.root.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const [x, y] = [event.offsetX, event.offsetY];
    const kind = event.button === 2 ? "window" : event.button === 1 || event.shiftKey ? "pan"
      : state.tool ? "shape" : "cursor";
    drag = { kind, x, y, window: [...state.window],
      centre: [...(state.centre ?? state.volume.shape.map((n) => n / 2))] };
    if (kind === "shape") {
      state.shape = { kind: state.tool, plane: plane.name, box: [x, y, x, y] };
    } else if (kind === "cursor") setCursor(state, voxelAt(state, plane, x, y, true));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.volume) return;
    const [x, y] = [event.offsetX, event.offsetY];
    if (!drag) state.pointed = voxelAt(state, plane, x, y);
    else if (drag.kind === "cursor") {
      state.pointed = null;
      setCursor(state, voxelAt(state, plane, x, y, true));
    } else if (drag.kind === "shape") state.shape.box = [drag.x, drag.y, x, y];
    else if (drag.kind === "window") {
      const [low, high] = drag.window;
      const width = clamp(high - low + (x - drag.x) * 0.7, 8, 510);
      const middle = (low + high) / 2 + (y - drag.y) * 0.7;
      state.window = [middle - width / 2, middle + width / 2];
    } else if (drag.kind === "pan") panBy(state, plane, drag, x - drag.x, y - drag.y);
    redraw(state);
  });
  canvas.addEventListener("pointerup", () => {
    if (drag?.kind === "shape") proposeFromShape(state, plane);
    drag = null;
    redraw(state);
  });
  canvas.addEventListener("pointerleave", () => {
    state.pointed = null;
    redraw(state);
  });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    if (!state.volume) return;
    event.preventDefault();
    const turn = event.deltaMode ? event.deltaY * 34 : event.deltaY;
    if (event.ctrlKey || event.metaKey) {
      zoomBy(state, Math.exp(-turn / 300), plane, event.offsetX, event.offsetY);
      return;
    }
    wheel += turn;
    const steps = Math.trunc(wheel / 34);
    if (!steps) return;
    wheel = Math.abs(turn) >= 60 ? 0 : wheel - 34 * steps;
    moveSlice(state, plane.name, Math.abs(turn) >= 60 ? -Math.sign(steps) : -steps);
  }, { passive: false });
}

function moveSlice(state, name, step, wait) {
  const cursor = [...state.cursor];
  cursor[PLANES[name].fixed] += step;
  setCursor(state, cursor, wait);
}

function panBy(state, plane, drag, dx, dy) {
  const { axes: [a, b] } = PLANES[plane.name];
  const to = planeTransform(state, plane);
  state.centre = [...drag.centre];
  state.centre[a] = drag.centre[a] + ((to.reversed ? 1 : -1) * dx) / to.sx;
  state.centre[b] = drag.centre[b] + dy / to.sy;
}

/** Zoom all planes; the voxel under the pointer (or the cursor's) stays where it is. */
function zoomBy(state, factor, plane = null, px = 0, py = 0) {
  const { volume } = state;
  const zoom = clamp(state.zoom * factor, 1, 24);
  if (plane) {
    const { axes: [a, b] } = PLANES[plane.name];
    const before = planeTransform(state, plane);
    const column = (px - before.x) / before.sx, row = (py - before.y) / before.sy;
    state.centre ??= volume.shape.map((n) => n / 2);
    state.zoom = zoom;
    const after = planeTransform(state, plane);
    const dc = column - (px - after.x) / after.sx, dr = row - (py - after.y) / after.sy;
    state.centre[a] += after.reversed ? -dc : dc;
    state.centre[b] -= dr;
  } else {
    state.zoom = zoom;
    state.centre = localCursor(state).map((v) => v + 0.5);
  }
  if (zoom === 1) state.centre = null;
  redraw(state);
}

function proposeFromShape(state, plane) {
  const [x0, y0, x1, y1] = state.shape.box;
  if (Math.abs(x1 - x0) < 3 || Math.abs(y1 - y0) < 3) {
    state.shape = null;
    return;
  }
  const from = voxelAt(state, plane, x0, y0, true), to = voxelAt(state, plane, x1, y1, true);
  report(state, 0, { region: { plane: plane.name, kind: state.shape.kind, from, to } });
  state.tool = null;
  showLook(state);
}
