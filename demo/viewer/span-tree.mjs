/**
 * The spans of one trace as a tree, and the rows that a waterfall shows of it. Nothing here recurses: a chain
 * of 50,000 spans is a legal trace.
 */

/**
 * @typedef {object} Node
 * @property {import('./parse-otlp.mjs').Span} span
 * @property {Node[]} children by start
 * @property {number} depth 0 at a root
 * @property {number} descendantCount
 * @property {boolean} entersService its service is another than its parent's, or its parent is not here
 * @property {boolean} orphan its parent is named, but is not among the spans (or the parents form a circle)
 *
 * @typedef {object} Row
 * @property {Node} node
 * @property {boolean} expanded meaningful only with children
 * @property {number} position from 1, among its siblings
 * @property {number} siblingCount
 */

/**
 * @param {Iterable<import('./parse-otlp.mjs').Span>} spans
 * @returns {{ roots: Node[], orphanCount: number }} true roots by start, then orphans by start
 */
export function buildTree(spans) {
  const nodes = new Map();
  for (const span of spans) {
    nodes.set(span.spanId, {
      span,
      children: [],
      depth: 0,
      descendantCount: 0,
      entersService: true,
      orphan: false,
    });
  }
  const roots = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.span.parentSpanId);
    if (parent !== undefined) parent.children.push(node);
    else roots.push(node);
    node.entersService = parent?.span.resource.serviceName !== node.span.resource.serviceName;
    node.orphan = parent === undefined && node.span.parentSpanId !== '';
  }
  const ordered = visit(roots);
  // What no root reaches goes round in a circle: cut it where it starts earliest, and it becomes an orphan.
  const circling = [...nodes.values()].filter((node) => !ordered.has(node)).sort(byStart);
  for (const node of circling) {
    if (ordered.has(node)) continue;
    const siblings = nodes.get(node.span.parentSpanId).children;
    siblings.splice(siblings.indexOf(node), 1);
    node.orphan = true;
    roots.push(node);
    for (const reached of visit([node])) ordered.add(reached);
  }
  // Children come after their parents in `ordered`, so backwards every count is complete before it is added.
  for (const node of [...ordered].reverse()) {
    for (const child of node.children) node.descendantCount += child.descendantCount + 1;
  }
  roots.sort((a, b) => Number(a.orphan) - Number(b.orphan) || byStart(a, b));
  return { roots, orphanCount: roots.filter((node) => node.orphan).length };
}

/**
 * The rows to show, top to bottom.
 *
 * @param {Node[]} roots
 * @param {ReadonlySet<string>} collapsed ids of spans whose children are hidden
 * @returns {Row[]}
 */
export function visibleRows(roots, collapsed) {
  const rows = [];
  const stack = rowsOf(roots);
  while (stack.length > 0) {
    const row = stack.pop();
    row.expanded = !collapsed.has(row.node.span.spanId);
    rows.push(row);
    if (row.expanded) for (const child of rowsOf(row.node.children)) stack.push(child);
  }
  return rows;
}

/** Ids of a span's ancestors within the tree's spans, nearest first; ends where a circle closes. */
export function ancestorIds(spans, spanId) {
  const ids = new Set();
  let parent = spans.get(spans.get(spanId)?.parentSpanId);
  while (parent !== undefined && parent.spanId !== spanId && !ids.has(parent.spanId)) {
    ids.add(parent.spanId);
    parent = spans.get(parent.parentSpanId);
  }
  return [...ids];
}

// Last sibling first, for a stack.
function rowsOf(siblings) {
  return siblings
    .map((node, index) => ({ node, expanded: true, position: index + 1, siblingCount: siblings.length }))
    .reverse();
}

// Reaches everything below `roots`, sets depths, sorts children.
function visit(roots) {
  const reached = new Set();
  const queue = [...roots];
  for (const node of queue) {
    if (reached.has(node)) continue;
    reached.add(node);
    node.children.sort(byStart);
    for (const child of node.children) {
      child.depth = node.depth + 1;
      queue.push(child);
    }
  }
  return reached;
}

function byStart(a, b) {
  const [startA, startB] = [a.span.start ?? a.span.end ?? 0n, b.span.start ?? b.span.end ?? 0n];
  if (startA !== startB) return startA < startB ? -1 : 1;
  return a.span.spanId < b.span.spanId ? -1 : 1;
}
