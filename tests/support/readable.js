// What keeps people from reading a page: texts too pale, names missing, parts that no keyboard reaches.
const found = [];
const say = (what, node) => found.push(`${what}: ${node.outerHTML.slice(0, 120)}`);
for (const details of document.querySelectorAll("details")) details.open = true;

const channels = (color) => (color.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, k) => value * a + below[k] * (1 - a));
function behind(node) {
  const layers = [];
  for (let each = node; each; each = each.parentElement)
    layers.unshift(channels(getComputedStyle(each).backgroundColor));
  return layers.reduce((below, layer) => over(layer, below), [255, 255, 255]);
}
const light = (color) => {
  const [r, g, b] = color
    .map((value) => value / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
for (const node of document.querySelectorAll("body *")) {
  const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!hasText || !node.getClientRects().length || node.disabled) continue;
  const style = getComputedStyle(node);
  const ground = behind(node instanceof SVGElement ? node.closest("svg").parentElement : node);
  const ink = over(channels(node instanceof SVGElement ? style.fill : style.color), ground);
  if (contrast(ink, ground) < 4.5) say(`contrast ${contrast(ink, ground).toFixed(2)}`, node);
}

const nameOf = (node) =>
  node.getAttribute("aria-label") || node.closest("label")?.textContent.trim() || node.textContent.trim();
for (const node of document.querySelectorAll("button, input, summary, [role=region], [role=group], [tabindex]")) {
  if (!nameOf(node)) say("no name", node);
}
for (const node of document.querySelectorAll("svg")) {
  const isNamed = node.getAttribute("role") === "img" && node.getAttribute("aria-label");
  if (!isNamed && node.getAttribute("aria-hidden") !== "true") say("no role or name", node);
}
for (const node of document.querySelectorAll("th")) {
  if (!node.getAttribute("scope")) say("no scope", node);
  if (!node.textContent.trim()) say("no text", node);
}
for (const node of document.querySelectorAll("body *")) {
  if (
    node.scrollWidth > node.clientWidth + 1 &&
    /auto|scroll/.test(getComputedStyle(node).overflowX) &&
    node.tabIndex < 0
  ) {
    say("scrolls, but not by keyboard", node);
  }
}
for (const node of document.querySelectorAll("section > div[id] > svg")) {
  if (node.nextElementSibling?.tagName !== "DETAILS") say("no table below", node);
}
const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push(`twice: ${id}`);
if (!document.documentElement.lang || !document.title) found.push("no language or title");
return found;
