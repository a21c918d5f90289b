// Drawing. Whatever comes from the log becomes text by textContent, never HTML.
const byId = (id) => document.getElementById(id);
const SVG_NAMES = new Set(["svg", "path", "rect", "line", "circle", "g", "text"]);
function el(name, attributes = {}, ...children) {
  const node = SVG_NAMES.has(name)
    ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const styled = (node, styles) => {
  Object.assign(node.style, styles);
  return node;
};
const note = (text) => el("p", { class: "note" }, text);
const scrolling = (label, ...content) =>
  el("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, ...content);

function ticks(low, high, wanted = 4) {
  const raw = (high - low) / wanted || 1,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= raw * 0.999) * power;
  const first = Math.ceil(low / step - 1e-9),
    last = Math.floor(high / step + 1e-9);
  return each(first, last, (k) => k * step);
}

function showTip(x, y, text) {
  const tip = byId("tip");
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  styled(tip, {
    left: `${Math.max(4, Math.min(x + 14, innerWidth - box.width - 8))}px`,
    top: `${Math.max(4, y - box.height - 12)}px`,
  });
}
const hideTip = () => {
  byId("tip").hidden = true;
};

function legend(series) {
  return el(
    "div",
    { class: "legend" },
    ...series.map((one) => el("span", {}, styled(el("i"), { background: `var(--${one.color})` }), one.name)),
  );
}

// A chart of days, with the same as a table below. series: {name, color, values, band: [[low, high]]}; values[k] is of
// the day from + k, null is unknown. Days that are not whole are pale or dashed.
function chart(
  into,
  {
    from,
    to,
    series,
    format,
    axis = format,
    label,
    stacked = false,
    fromZero = true,
    limits = [-Infinity, Infinity],
    markers = [],
    empty = "Nothing was logged in these days.",
  },
) {
  into = byId(into);
  into.replaceChildren();
  if (series.every((one) => one.values.every((value) => !(fromZero ? value : value !== null)))) {
    into.append(note(empty));
    return;
  }
  const n = to - from + 1,
    isWhole = (k) => DAYS.is_complete[from + k];
  const width = Math.max(280, into.clientWidth || 560),
    height = 210;
  const top = 8,
    right = 8,
    bottom = 22,
    left = 50;
  const known = series
    .flatMap((one) => [...one.values, ...(one.band ?? []).flat()])
    .filter((value) => value !== null);
  const stacks = each(0, n - 1, (k) => series.reduce((all, one) => all + Math.max(0, one.values[k] ?? 0), 0));
  let high = stacked ? Math.max(...stacks) : Math.max(...known);
  let low = fromZero ? Math.min(0, ...known) : Math.min(...known);
  if (!fromZero) {
    const space = (high - low || 0.1) * 0.08;
    [low, high] = [Math.max(limits[0], low - space), Math.min(limits[1], high + space)];
  } else if (!stacked) high *= 1.05;
  if (high <= low) high = low + 1;
  const step = (width - left - right) / n;
  const x = (k) => left + (k + 0.5) * step;
  const y = (value) => top + ((high - value) / (high - low)) * (height - top - bottom);
  const svg = el("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: "0" });
  const marks = ticks(low, high);
  for (const tick of marks) {
    svg.append(
      el("line", { class: "axis", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      el(
        "text",
        { x: left - 6, y: y(tick) + 4, "text-anchor": "end" },
        axis(tick, marks.length > 1 ? marks[1] - marks[0] : 1),
      ),
    );
  }
  const every = Math.max(1, Math.ceil((n * 76) / width));
  for (let k = (n - 1) % every; k < n; k += every) {
    const atEdge = x(k) + 20 > width;
    svg.append(
      el(
        "text",
        { x: atEdge ? width : x(k), y: height - 6, "text-anchor": atEdge ? "end" : "middle" },
        shortDay(from + k),
      ),
    );
  }
  const shownMarkers = markers.filter((marker) => marker.place >= from && marker.place <= to);
  for (const place of new Set(shownMarkers.map((marker) => marker.place))) {
    svg.append(
      el("line", { class: "marker", x1: x(place - from), x2: x(place - from), y1: top, y2: height - bottom }),
    );
  }
  if (stacked) {
    const base = new Float64Array(n);
    for (const one of series) {
      one.values.forEach((value, k) => {
        if (!(value > 0)) return;
        const [upper, lower] = [y(base[k] + value), y(base[k])];
        svg.append(
          el("rect", {
            x: x(k) - step * 0.4,
            width: step * 0.8,
            y: upper,
            height: lower - upper,
            fill: `var(--${one.color})`,
            "fill-opacity": isWhole(k) ? null : 0.4,
          }),
        );
        base[k] += value;
      });
    }
  } else {
    for (const one of series) svg.append(...line(one, x, y, isWhole, n < 40));
  }
  const hair = el("line", { class: "hair", y1: top, y2: height - bottom, visibility: "hidden" });
  svg.append(hair);
  const said = (value) => (value === null ? UNKNOWN : format(value));
  const ends = series
    .map((one) => {
      const values = one.values.filter((value, k) => value !== null && isWhole(k));
      return values.length
        ? `${one.name} from ${format(Math.min(...values))} to ${format(Math.max(...values))}`
        : null;
    })
    .filter(Boolean);
  svg.setAttribute(
    "aria-label",
    `${label}, ${shortDay(from)} to ${shortDay(to)}: ${ends.join(", ")}. ` +
      "Arrow keys read out a day; the table below has them all.",
  );
  const ofDay = (k) =>
    [
      longDay(from + k) + (isWhole(k) ? "" : ", not whole"),
      ...series.map((one) => `${one.name}: ${said(one.values[k])}`),
      ...shownMarkers.filter((marker) => marker.place === from + k).map((marker) => marker.text),
    ].join("\n");
  let here = n;
  const show = (k, tipX, tipY) => {
    here = k;
    for (const end of ["x1", "x2"]) hair.setAttribute(end, x(k));
    hair.setAttribute("visibility", "visible");
    showTip(tipX, tipY, ofDay(k));
  };
  const leave = () => {
    hair.setAttribute("visibility", "hidden");
    hideTip();
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const k = Math.floor((((event.clientX - box.left) * width) / box.width - left) / step);
    if (k >= 0 && k < n) show(k, event.clientX, event.clientY);
    else leave();
  });
  svg.addEventListener("keydown", (event) => {
    const k = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: n - 1 }[event.key];
    if (event.key === "Escape") leave();
    if (k === undefined) return;
    event.preventDefault();
    const inside = Math.max(0, Math.min(n - 1, k)),
      box = svg.getBoundingClientRect();
    show(inside, box.left + (x(inside) * box.width) / width, box.top + 24);
  });
  for (const ending of ["pointerleave", "blur"]) svg.addEventListener(ending, leave);
  const rows = each(0, n - 1, (k) => [
    isoOf(from + k) + (isWhole(k) ? "" : " (not whole)"),
    ...series.map((one) => said(one.values[k])),
  ]);
  const heads = [{ text: "day", left: true }, ...series.map((one) => ({ text: one.name }))];
  if (series.length > 1) into.append(legend(series));
  into.append(
    svg,
    el("details", {}, el("summary", {}, "As a table"), scrolling(`${label}, as a table`, grid(heads, rows))),
  );
}

// The line of a series, dashed to and from days that are not whole, and the band around it.
function line(one, x, y, isWhole, withDots) {
  const color = `var(--${one.color})`,
    drawn = [];
  if (one.band) {
    const inside = one.values.flatMap((value, k) => (value === null ? [] : [k]));
    const upper = inside.map((k) => `${x(k)},${y(one.band[k][1])}`);
    const lower = inside.map((k) => `${x(k)},${y(one.band[k][0])}`).reverse();
    if (inside.length > 1)
      drawn.push(el("path", { d: `M${upper.concat(lower).join("L")}Z`, fill: color, "fill-opacity": 0.16 }));
  }
  let solid = "",
    dashed = "";
  one.values.forEach((value, k) => {
    const before = k ? one.values[k - 1] : null;
    if (value === null || before === null) return;
    const piece = `M${x(k - 1)},${y(before)}L${x(k)},${y(value)}`;
    if (isWhole(k) && isWhole(k - 1)) solid += piece;
    else dashed += piece;
  });
  drawn.push(
    el("path", { d: solid, class: "line", stroke: color }),
    el("path", { d: dashed, class: "line", stroke: color, "stroke-dasharray": "3 3" }),
  );
  one.values.forEach((value, k) => {
    const isAlone = (one.values[k - 1] ?? null) === null && (one.values[k + 1] ?? null) === null;
    if (value === null || !(withDots || isAlone)) return;
    drawn.push(
      el("circle", {
        cx: x(k),
        cy: y(value),
        r: isAlone ? 3 : 2,
        fill: color,
        "fill-opacity": isWhole(k) ? null : 0.4,
      }),
    );
  });
  return drawn;
}

function spark(values, { color = "a", low = null, high = null, label = null, width = 110, height = 24 } = {}) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return el("span", { class: "none" }, UNKNOWN);
  low ??= Math.min(...known);
  high ??= Math.max(...known);
  if (high <= low) [low, high] = [low - 1, high + 1];
  const x = (k) => 2 + (k * (width - 4)) / (values.length - 1);
  const y = (value) => 2 + ((high - Math.max(low, Math.min(high, value))) / (high - low)) * (height - 4);
  let path = "",
    isDown = false;
  values.forEach((value, k) => {
    if (value !== null) path += `${isDown ? "L" : "M"}${x(k).toFixed(1)},${y(value).toFixed(1)}`;
    isDown = value !== null;
  });
  const named = label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" };
  return styled(
    el(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, class: "spark", ...named },
      el("path", { d: path, class: "line", stroke: `var(--${color})` }),
    ),
    { width: `${width}px` },
  );
}

// A table. heads: {text, left, wrap, title}; a cell is text or a node. Beyond `limit` rows a button shows the rest.
function grid(heads, rows, { empty = "", limit = Infinity } = {}) {
  if (!rows.length) return note(empty);
  const kind = (head) => [head.left ? "left" : null, head.wrap ? "wrap" : null].filter(Boolean).join(" ") || null;
  const body = el(
    "tbody",
    {},
    ...rows.map((row, number) =>
      el(
        "tr",
        number >= limit ? { class: "more" } : {},
        ...row.map((cell, column) =>
          el(column ? "td" : "th", { class: kind(heads[column]), scope: column ? null : "row" }, cell),
        ),
      ),
    ),
  );
  const table = el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...heads.map((head) => el("th", { class: kind(head), scope: "col", title: head.title }, head.text)),
      ),
    ),
    body,
  );
  if (rows.length <= limit) return table;
  const button = el("button", { type: "button", "aria-expanded": "false" }, `Show ${rows.length - limit} more`);
  button.onclick = () => {
    const isOpen = table.classList.toggle("open");
    button.setAttribute("aria-expanded", String(isOpen));
    button.textContent = isOpen ? "Show fewer" : `Show ${rows.length - limit} more`;
  };
  return el("div", {}, table, button);
}
