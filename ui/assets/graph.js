// The picture of AS paths: what is pointed at or has the focus shows the paths
// through it, in the picture and in the table below it.

let shown = ''

/** Follows pointer and focus, on pages with a picture. */
export function connectGraph() {
  if (!document.querySelector('.picture .graph')) return
  for (const type of ['pointerover', 'focusin']) document.addEventListener(type, (event) => show(pathsAt(/** @type {Element} */ (event.target))))
}

/**
 * The numbers of the paths that an element stands for, with spaces between.
 * @param {Element} target
 * @returns {string}
 */
function pathsAt(target) {
  const part = /** @type {SVGElement | null} */ (target.closest('.graph [data-paths]') ?? target.querySelector?.(':scope > [data-paths]'))
  return part?.dataset.paths ?? target.closest('tr[id^=path-]')?.id.slice('path-'.length) ?? ''
}

/** @param {string} numbers */
function show(numbers) {
  if (numbers === shown) return
  shown = numbers
  const paths = new Set(numbers ? numbers.split(' ') : [])
  const picture = document.querySelector('.picture .graph')
  picture?.classList.toggle('picked', paths.size > 0)
  for (const part of /** @type {NodeListOf<SVGElement>} */ (document.querySelectorAll('.picture .graph [data-paths]'))) {
    part.classList.toggle('lit', (part.dataset.paths ?? '').split(' ').some((n) => paths.has(n)))
  }
  for (const row of document.querySelectorAll('tr[id^=path-]')) row.classList.toggle('lit', paths.has(row.id.slice('path-'.length)))
}
