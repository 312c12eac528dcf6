// Everything a mouse can do, by the keyboard.
import { copy, make } from './page.js'

/** What keys do: the order is that of the list that "?" shows. */
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
  bind('/', 'search', () => { const q = document.getElementById('q'); q.focus(); q.select() })
  bind('t', 'another moment', () => document.querySelector('.live input[name=at]')?.focus())
  bind('j', 'next row', () => step(1))
  bind('k', 'row before', () => step(-1))
  bind('ArrowDown', '', () => step(1))
  bind('ArrowUp', '', () => step(-1))
  bind('y', 'copy the link to this page', () => copy(permalink(), 'Link'))
  bind('h', 'first page', () => document.querySelector('.brand').click())
  bind('?', 'this list', list)
  document.addEventListener('keydown', onKey)
}

function onKey(event) {
  const target = event.target
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

/** The row that has the focus. */
export function current() {
  return document.activeElement?.closest('main tbody tr, main .examples li')
}

/** Goes to another row: its first link takes the focus, so that Enter opens it. */
function step(by) {
  const all = rows()
  const at = all.indexOf(current())
  const seen = () => Math.max(all.findIndex((row) => row.getBoundingClientRect().top >= 0), 0)
  const next = at < 0 ? (by > 0 ? seen() : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)
  const link = all[next]?.querySelector('a[href]')
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
  const close = make('button', { type: 'button', class: 'quiet' }, 'Close')
  const dialog = make('dialog', { id: 'keys', 'aria-label': 'Keys' }, make('strong', {}, 'Keys'),
    make('dl', {}, ...rows, make('dt', {}, make('kbd', {}, 'Enter')), make('dd', {}, 'open the row'), make('dt', {}, make('kbd', {}, 'Esc')), make('dd', {}, 'close')), close)
  close.addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => dialog.remove())
  document.body.append(dialog)
  dialog.showModal()
}
