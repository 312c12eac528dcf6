// Everything a mouse can do, by the keyboard.
import { copy, make, t } from './page.js'

/** What keys do: the order is that of the list that "?" shows. */
/** @type {Map<string, { does: string, action: () => void }>} */
const bindings = new Map()

/**
 * Gives a key a meaning outside of fields.
 * @param {string} key as KeyboardEvent.key has it
 * @param {string} does for the list; '' leaves it out
 * @param {() => void} action
 */
export function bind(key, does, action) {
  bindings.set(key, { does, action })
}

/** Connects the keys that every page has. */
export function connectKeys() {
  bind('/', t('script.key_search'), () => { const q = /** @type {HTMLInputElement} */ (document.getElementById('q')); q.focus(); q.select() })
  bind('t', t('script.key_moment'), () => find('.live input[name=at]')?.focus())
  bind('j', t('script.key_next_row'), () => step(1))
  bind('k', t('script.key_row_before'), () => step(-1))
  bind('ArrowDown', '', () => step(1))
  bind('ArrowUp', '', () => step(-1))
  bind('y', t('script.key_copy_link'), () => copy(permalink(), t('script.link_copied')))
  bind('h', t('script.key_first_page'), () => find('.brand')?.click())
  bind('?', t('script.key_list'), list)
  document.addEventListener('keydown', onKey)
}

/**
 * Finds an element, that is HTML if it is there.
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
const find = (selector) => document.querySelector(selector)

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target)
  if (event.key === 'Escape' && target.matches('input, select')) target.blur()
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.matches('input, select, textarea') || document.querySelector('dialog[open]')) return
  if (event.key.startsWith('Arrow') && !current() && target !== document.body) return
  const bound = bindings.get(event.key)
  if (!bound) return
  event.preventDefault()
  bound.action()
}

/** The rows that have a link to open. */
function rows() {
  return [...document.querySelectorAll('main tbody tr, main .examples li')].filter((row) => row.querySelector('a[href]'))
}

/**
 * The row that has the focus.
 * @returns {HTMLElement | null | undefined}
 */
export function current() {
  return document.activeElement?.closest('main tbody tr, main .examples li')
}

/**
 * Goes to another row: its first link takes the focus, so that Enter opens it.
 * @param {number} by
 */
function step(by) {
  const all = rows()
  const at = all.indexOf(/** @type {Element} */ (current()))
  const seen = () => Math.max(all.findIndex((row) => row.getBoundingClientRect().top >= 0), 0)
  const next = at < 0 ? (by > 0 ? seen() : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)
  const link = /** @type {HTMLElement | null} */ (all[next]?.querySelector('a[href]'))
  link?.focus()
  link?.scrollIntoView({ block: 'nearest' })
}

function permalink() {
  const url = new URL(location.href)
  url.hash = ''
  return url.href
}

function list() {
  const rows = [...bindings].filter(([, b]) => b.does)
    .flatMap(([key, b]) => [make('dt', {}, make('kbd', {}, key.replace('Arrow', ''))), make('dd', {}, b.does)])
  const close = make('button', { type: 'button', class: 'quiet' }, t('script.close'))
  const dialog = /** @type {HTMLDialogElement} */ (make('dialog', { id: 'keys', 'aria-label': t('script.keys') }, make('strong', {}, t('script.keys')),
    make('dl', {}, ...rows, make('dt', {}, make('kbd', {}, 'Enter')), make('dd', {}, t('script.key_open')), make('dt', {}, make('kbd', {}, 'Esc')), make('dd', {}, t('script.key_close'))), close))
  close.addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
