// docs/figures.svg, from the same figures as the table of README.md: what each costs, as a share of what one would use instead.

/** For a screen in either mode, and with words for who does not see it. */
const STYLE = `
  text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .small { font-size: 12px; fill: #59636e; }
  .ours { fill: #1a7f37; }
  .more { fill: #bc4c00; }
  .theirs { fill: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .ours { fill: #3fb950; }
    .more { fill: #db6d28; }
    .theirs { fill: #3d444d; }
  }`;

const WIDTH = 760;
const LABELS = 300;
const FULL = 380; // what stands for 100 %
const ROW = 46;

const plain = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('`', '');
const percent = (share) => (share < 0.095 ? `${(100 * share).toFixed(1)} %` : `${Math.round(100 * share)} %`);

/** `rows`: `{ label, than, share }`, where `share` is 1 for what costs the same. `major`: of which Node.js. */
export function chart(rows, major) {
  const height = 56 + rows.length * ROW;
  const bars = rows.map(({ label, than, share }, i) => {
    const y = 44 + i * ROW;
    const length = Math.min(share, 1.1) * FULL;
    return `  <text x="0" y="${y + 15}">${plain(label)}</text>
  <text class="small" x="0" y="${y + 31}">against ${plain(than)}</text>
  <rect class="theirs" x="${LABELS}" y="${y + 4}" width="${FULL}" height="22" rx="3"/>
  <rect class="${share > 1 ? 'more' : 'ours'}" x="${LABELS}" y="${y + 4}" width="${Math.max(length, 2).toFixed(1)}" height="22" rx="3"/>
  <text x="${LABELS + FULL + 8}" y="${y + 20}">${percent(share)}</text>`;
  });
  const words = rows.map(({ label, than, share }) => `${label}: ${percent(share)} of ${than}`).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">What weakly costs, as a share of what one would use instead (Node.js ${major})</title>
  <desc id="description">${plain(words)}</desc>
  <style>${STYLE}
  </style>
  <text class="small" x="0" y="20">Node.js ${major}; less is better</text>
  <text class="small" x="${LABELS + FULL}" y="20" text-anchor="end">100 %: what one would use instead</text>
${bars.join('\n')}
</svg>
`;
}
