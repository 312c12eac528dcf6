// What several modules do with the page.

/** @type {Record<string, string | Record<string, string>>} */
let texts = {}
const plurals = new Intl.PluralRules(document.documentElement.lang)
const numbers = new Intl.NumberFormat(document.documentElement.lang)

/**
 * Gives the texts of a language. The module of the texts does, before app.js runs: a page
 * that had to wait for them would not hear its first keys.
 * @param {Record<string, string | Record<string, string>>} all
 */
export function speak(all) {
  texts = all
}

/**
 * A text that there may be, '' when there is none.
 * @param {string} key
 */
export const known = (key) => texts[key] ?? ''

/**
 * Says a text of the catalogue. One that is counted is chosen by the first value.
 * @param {string} key
 * @param {...(string|number)} values
 * @returns {string}
 */
export function t(key, ...values) {
  const text = texts[key] ?? key
  const form = typeof text === 'string' ? text : text[plurals.select(Number(values[0]))] ?? text.other
  return form.replace(/\{(\d)\}/g, (/** @type {string} */ _, /** @type {number} */ i) => {
    const value = values[i]
    return typeof value === 'number' ? numbers.format(value) : String(value)
  })
}

/**
 * Makes an element. Texts become text, never markup.
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function make(name, attributes = {}, ...children) {
  const e = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value)
  e.append(...children)
  return e
}

/**
 * Reads what was stored, or the fallback where storage is forbidden or broken.
 * @param {string} key
 * @param {any} fallback
 * @returns {any}
 */
export function stored(key, fallback) {
  try {
    return JSON.parse(localStorage.getItem(`ribglass.${key}`) ?? '') ?? fallback
  } catch {
    return fallback
  }
}

/**
 * Stores a value; null removes it.
 * @param {string} key
 * @param {any} value
 */
export function store(key, value) {
  try {
    if (value === null) localStorage.removeItem(`ribglass.${key}`)
    else localStorage.setItem(`ribglass.${key}`, typeof value === 'string' ? value : JSON.stringify(value))
  } catch {
    // A page without storage works all the same.
  }
}

let fading = 0

/**
 * Says something in passing, on the screen and to screen readers.
 * @param {string} text
 */
export function say(text) {
  let place = document.getElementById('said')
  if (!place) {
    place = make('p', { id: 'said', role: 'status' })
    document.body.append(place)
  }
  place.textContent = text
  clearTimeout(fading)
  fading = setTimeout(() => place.replaceChildren(), 2500)
}

/**
 * Copies a text and says what was done. A text may be still on its way: browsers let a page
 * copy only at once after a key or a click.
 * @param {string | Promise<string>} text
 * @param {string} what
 */
export async function copy(text, what) {
  let failed = t('script.no_copy')
  const blob = Promise.resolve(text).then((whole) => new Blob([whole], { type: 'text/plain' }), (error) => {
    failed = error.message
    throw error
  })
  blob.catch(() => {}) // said below
  try {
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })])
    say(what)
  } catch {
    say(failed)
  }
}

/**
 * The page that stands in the document, whose address is not where scrolling led to, and
 * the page that is to come: they differ while it is on its way.
 */
export const page = { url: location.href, wanted: location.href }
let asked = 0 // pages, ever

/**
 * Fetches a page of this server.
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<Document | undefined>} undefined when there is none
 */
export async function fetched(url, signal) {
  const answer = await fetch(url, { signal, headers: { Accept: 'text/html' } })
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), 'text/html') : undefined
}

/**
 * Asks this server for JSON; undefined when it has none.
 * @param {string} path
 * @param {Record<string, string>} values
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(path, values, signal) {
  const answer = await fetch(`${path}?${new URLSearchParams(values)}`, { signal, headers: { Accept: 'application/json' } })
  return answer.ok ? answer.json() : undefined
}

/**
 * Where a focused element stands, so that its likeness can be focused again.
 * @param {Element} element
 */
function placeOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`
  const href = element.getAttribute('href')
  return href ? `a[href="${CSS.escape(href)}"]` : ''
}

/** @returns {NodeListOf<HTMLDetailsElement>} */
const folds = () => document.querySelectorAll('main details')

/**
 * Puts the page at a URL in the place of this one without moving what the
 * reader looks at: the scroll position, the focus and what is unfolded stay. Of
 * pages that are on their way together only the one asked for last is shown.
 * @returns {Promise<boolean>} whether there was such a page, or another one was asked for since
 * @param {string} url
 */
export async function swap(url) {
  const turn = ++asked
  page.wanted = url
  /** @type {Document | undefined} */
  let fresh
  try {
    fresh = await fetched(url)
  } finally {
    if (!fresh && turn === asked) page.wanted = page.url
  }
  if (turn !== asked) return true
  if (!fresh) return false
  const focused = document.activeElement?.closest('main, .live') ? placeOf(document.activeElement) : ''
  const open = [...folds()].map((d) => d.open)
  const top = scrollY
  document.dispatchEvent(new CustomEvent('swapping', { detail: { url, fresh } }))
  page.url = url
  for (const place of ['main', '.live', '.top nav', 'footer']) {
    const from = fresh.querySelector(place)
    const to = document.querySelector(place)
    if (from && to) to.replaceWith(document.adoptNode(from))
  }
  document.querySelectorAll('#search input[type=hidden]').forEach((e) => { e.remove() })
  document.getElementById('search')?.prepend(...fresh.querySelectorAll('#search input[type=hidden]'))
  document.querySelector('.brand')?.setAttribute('href', fresh.querySelector('.brand')?.getAttribute('href') ?? '/')
  const details = folds()
  if (details.length === open.length) details.forEach((d, i) => { d.open = open[i] })
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(focused))?.focus({ preventScroll: true })
  scrollTo({ top, behavior: 'instant' })
  document.title = fresh.title
  document.dispatchEvent(new CustomEvent('swapped'))
  return true
}
