// The pages of an answer follow each other: the next one is fetched before its
// place is seen, and pages far away are taken out of the document, with a gap of
// their height left. So the document stays small however long the answer is. The
// URL is that of the first page seen.
import { bind } from './keys.js'
import { fetched, make, page, t } from './page.js'
import { near } from './span.js'

/**
 * @typedef {object} Part a page of the answer
 * @property {string} url
 * @property {number} height in pixels, guessed until it was seen
 * @property {HTMLElement} [place] where it stands in the document
 * @property {number} [waits] the timer of its request
 * @property {AbortController} [asks] its request
 */

const tallest = 8_000_000 // pixels of gap above, of what browsers can lay out
const patience = 80 // ms that a page must be near before it is asked for

/** @type {Part[]} */
let parts = []
/** @type {HTMLElement | null} */
let box = null // holds the pages
const gaps = [make('div', { class: 'gap' }), make('div', { class: 'gap' })]
const told = make('span', { role: 'status', class: 'hidden' })
const where = make('a', { class: 'mono', href: '#main' })
const bar = make('p', { id: 'place' }, make('button', { type: 'button', class: 'quiet' }, t('script.top')), ' ', where, told)
let frame = 0
let settling = 0
let failed = 0

/** @type {WeakMap<Element, number>} */
const heights = new WeakMap() // of the sheets of the pages
const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) grown(target)
  later()
})

/** Follows what is seen, on pages whose answer goes on. */
export function connectPaging() {
  bar.hidden = true
  document.body.append(bar)
  bar.querySelector('button')?.addEventListener('click', toTop)
  document.addEventListener('click', carry)
  bind('g', t('script.key_top'), toTop)
  bind('n', t('script.key_next_page'), next)
  addEventListener('scroll', later, { passive: true })
  addEventListener('resize', later)
  document.addEventListener('swapping', keep)
  document.addEventListener('swapped', begin)
  begin()
}

/** Takes the page as it came for the first part, unless others were kept. */
function begin() {
  const first = /** @type {HTMLElement | null} */ (document.querySelector('.pages > .page'))
  if (!parts.length && first && (nextOf(document) || history.state?.within)) {
    box = first.parentElement
    box?.prepend(gaps[0])
    box?.append(gaps[1])
    parts = [{ url: location.href, height: first.offsetHeight, place: first }]
    watch(first)
    restore(first)
  }
  if (!parts.length) return
  document.documentElement.style.overflowAnchor = 'none' // heights are made good here
  follow(parts[0], nextOf(document))
  for (const part of parts.slice(1)) if (part.place) ask(part)
  later()
}

/**
 * Goes to where the reader was: to the prefix, for the page may be wider now.
 * @param {HTMLElement} first
 */
function restore(first) {
  const { within, prefix, at } = history.state ?? {}
  if (!within) return
  const row = [...first.querySelectorAll('tr.prefix')].find((tr) => tr.textContent?.trim() === prefix)
  const top = row ? row.getBoundingClientRect().top + scrollY - Math.max(at, 90 - (row.parentElement?.offsetHeight ?? 0)) : topOf() + within
  scrollTo({ top, behavior: 'instant' })
}

/**
 * The way on stands in the list from here on; the link is for when it fails.
 * @param {Document} from
 */
function nextOf(from) {
  const link = /** @type {HTMLAnchorElement | null} */ (from.querySelector('.paging a[rel=next]'))
  if (link && parts.length) link.hidden = true
  return link ? new URL(link.getAttribute('href') ?? '', location.href).href : ''
}

/**
 * Keeps the other pages when a fresh first one comes, and none for another answer.
 * @param {Event} event
 */
function keep(event) {
  const { url, fresh } = /** @type {CustomEvent<{ url: string, fresh: Document }>} */ (event).detail
  const into = /** @type {HTMLElement | null} */ (url === page.url && parts.length > 1 ? fresh.querySelector('.pages') : null)
  if (!into) {
    sizes.disconnect()
    parts.forEach(drop)
    parts = []
    return
  }
  const first = /** @type {HTMLElement | null} */ (into.querySelector('.page'))
  if (parts[0].place && first) {
    unwatch(parts[0].place)
    parts[0].place = first
    watch(first)
  } else {
    first?.remove()
  }
  into.prepend(gaps[0])
  into.append(...parts.slice(1).flatMap((p) => p.place ?? []), gaps[1])
  box = into
}

const topOf = () => (box ? box.getBoundingClientRect().top + scrollY : 0)

function later() {
  if (parts.length && !frame) frame = requestAnimationFrame(update)
}

/** Puts in what is near, and takes out what is not. */
function update() {
  frame = 0
  if (!box || !parts.length) return
  const seen = near(parts.map((p) => p.height), scrollY - topOf(), innerHeight, 1.5 * innerHeight)
  parts.forEach((part, i) => {
    if (i < seen.from || i > seen.to) drop(part)
  })
  for (let i = seen.from; i <= seen.to; i++) put(parts[i], parts[i - 1]?.place ?? gaps[0])
  gaps[0].style.blockSize = `${seen.before}px`
  gaps[1].style.blockSize = `${seen.after}px`
  bar.hidden = scrollY < 2 * innerHeight
  clearTimeout(settling)
  settling = setTimeout(settle, 150)
}

/**
 * Gives a part its place behind another, empty until the page comes.
 * @param {Part} part
 * @param {HTMLElement} behind
 */
function put(part, behind) {
  if (part.place) return
  part.place = make('div', { class: 'page' })
  part.place.style.blockSize = `${part.height}px`
  behind.after(part.place)
  ask(part)
}

/**
 * Takes a part out of the document. A focus in it goes to the list.
 * @param {Part} part
 */
function drop(part) {
  clearTimeout(part.waits)
  part.asks?.abort()
  if (!part.place) return
  unwatch(part.place)
  if (part.place.contains(document.activeElement)) {
    box?.setAttribute('tabindex', '-1')
    box?.focus({ preventScroll: true })
  }
  part.place.remove()
  part.place = undefined
}

/** @param {Part} part */
function ask(part) {
  clearTimeout(part.waits)
  part.waits = setTimeout(() => load(part), Math.max(patience, failed - Date.now()))
}

/**
 * Fetches a page and puts it in its place.
 * @param {Part} part
 */
async function load(part) {
  part.asks?.abort()
  part.asks = new AbortController()
  const signal = part.asks.signal
  box?.setAttribute('aria-busy', 'true')
  try {
    const fresh = await fetched(part.url, signal)
    if (!fresh) throw new Error('no page')
    const from = fresh.querySelector('.pages > .page')
    if (signal.aborted || !part.place) return
    part.place.style.blockSize = ''
    unwatch(part.place)
    part.place.replaceChildren(...(from ? [...from.childNodes].map((n) => document.adoptNode(n)) : []))
    const { bottom, height } = part.place.getBoundingClientRect()
    const more = height - part.height
    part.height = height
    if (more && bottom - more <= 0) scrollBy({ top: more, behavior: 'instant' })
    watch(part.place)
    follow(part, from ? nextOf(fresh) : '')
    tell(parts.indexOf(part))
  } catch {
    if (!signal.aborted) fail(part)
  } finally {
    box?.removeAttribute('aria-busy')
  }
}

/**
 * A page that does not come is asked for again in a while; a link leads to it, too.
 * @param {Part} part
 */
function fail(part) {
  failed = Date.now() + 5000
  told.textContent = t('script.page_failed')
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector('.paging a[rel=next]'))
  if (link) {
    link.href = part.url
    link.hidden = false
  }
  if (part.place) ask(part)
}

/**
 * Makes the page behind a part the one that its link leads to.
 * @param {Part} part
 * @param {string} url
 */
function follow(part, url) {
  const i = parts.indexOf(part)
  const behind = parts[i + 1]
  if (!url) {
    for (const gone of parts.splice(i + 1)) drop(gone)
  } else if (!behind) {
    parts.push({ url, height: part.height })
  } else if (behind.url !== url) { // the answer changed meanwhile
    behind.url = url
    if (behind.place) ask(behind)
  }
  later()
}

/**
 * Notes the height of a page or a sheet. What is seen stays when a sheet above grows.
 * @param {Element} target
 */
function grown(target) {
  const { bottom, height } = target.getBoundingClientRect()
  const part = parts.find((p) => p.place === target)
  if (part) {
    part.height = height
    return
  }
  const more = height - (heights.get(target) ?? height)
  heights.set(target, height)
  if (more && bottom - more <= 0) scrollBy({ top: more, behavior: 'instant' })
}

/**
 * Watches how tall a page and its sheets are.
 * @param {Element} place
 */
function watch(place) {
  sizes.observe(place)
  for (const sheet of place.children) sizes.observe(sheet)
}

/** @param {Element} place */
function unwatch(place) {
  sizes.unobserve(place)
  for (const sheet of place.children) sizes.unobserve(sheet)
}

/** @param {number} i */
function tell(i) {
  const rows = parts.slice(0, i + 1).reduce((n, p) => n + (p.place?.querySelectorAll('tr[data-q]').length ?? 0), 0)
  if (i === parts.length - 1 || !parts[i + 1].place) told.textContent = t('script.routes_near', rows)
}

/** When scrolling rests: the URL is that of what is seen. */
function settle() {
  if (!box || !parts.length) return
  const seen = near(parts.map((p) => p.height), scrollY - topOf(), innerHeight, 0)
  const url = parts[seen.first].url
  const first = document.elementFromPoint(box.getBoundingClientRect().left + 24, 56)?.closest('tbody')?.querySelector('.prefix a')
  where.textContent = first?.textContent ?? ''
  where.hidden = !first
  if (first) where.setAttribute('href', first.getAttribute('href') ?? '')
  const within = Math.round(seen.within)
  if (url !== location.href || within !== (history.state?.within ?? 0)) {
    history.scrollRestoration = 'manual'
    const at = Math.round(first?.closest('tr')?.getBoundingClientRect().top ?? 0)
    history.replaceState({ ...history.state, within, prefix: first?.textContent, at }, '', url)
  }
  forget(seen.first)
}

/**
 * Forgets the first pages when the gap for them is taller than browsers can lay out.
 * @param {number} first
 */
function forget(first) {
  let height = parts.reduce((sum, p) => sum + p.height, 0)
  while (height > tallest && first-- > 1 && !parts[0].place) {
    const gone = /** @type {Part} */ (parts.shift())
    height -= gone.height
    gaps[0].style.blockSize = `${parseFloat(gaps[0].style.blockSize) - gone.height}px`
    scrollBy({ top: -gone.height, behavior: 'instant' })
  }
}

/**
 * Another order or view, and other columns, are of what is seen.
 * @param {Event} event
 */
function carry(event) {
  const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest('.tools a:not([download]), .routes thead a'))
  const cursor = new URL(location.href).searchParams.get('cursor')
  if (!link || !parts.length || !cursor) return
  const to = new URL(link.href)
  to.searchParams.set('cursor', cursor)
  link.href = to.href
}

function toTop() {
  scrollTo({ top: 0 })
}

/** Goes to the next page: it is in the list, or behind a link. */
function next() {
  const link = /** @type {HTMLElement | null} */ (document.querySelector('a[rel=next]'))
  if (!box || !parts.length) {
    link?.click()
    return
  }
  const all = parts.map((p) => p.height)
  const { first } = near(all, scrollY - topOf() + 1, innerHeight, 0)
  scrollTo({ top: topOf() + all.slice(0, first + 1).reduce((a, b) => a + b, 0), behavior: 'instant' })
}
