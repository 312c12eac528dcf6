// The strip: the changes of the thing on screen as ticks over a sparkline of
// their rate. It is a slider through time, steps from change to change, and plays
// them.
import { bind } from './keys.js'
import { beside, pick, upTo, utc } from './moments.js'
import { make, say, swap, t } from './page.js'

const place = document.getElementById('strip')
const asked = place?.dataset.activity ?? '' // where the changes are
const width = 1000
const height = 36
const near = 8 // pixels from a tick that are meant for it
const pace = () => (matchMedia('(prefers-reduced-motion: reduce)').matches ? 3000 : 1000) // ms that a change is shown while they are played

/** @type {number[]} */
let changes = []
let from = 0
let to = 1
let total = 0
let more = '' // before the total, when there may be more
let playing = 0 // the timer of the next step

const here = svg('path', { class: 'here' })
const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' })
const slider = make('div', { id: 'slider', role: 'slider', tabindex: '0', 'aria-label': t('script.moment'), 'aria-valuemin': '0' })
const told = make('span', {})
const compare = make('a', {}, t('script.compare'))
const player = button('▶', t('script.play'), play)

/** Draws the strip, on pages that have one. */
export function connectStrip() {
  if (!place) return
  bind('ArrowLeft', t('script.key_change_before'), () => { stop(); step(-1) })
  bind('ArrowRight', t('script.key_next_change'), () => { stop(); step(1) })
  bind('p', t('script.key_play'), play)
  addEventListener('popstate', () => swap(location.href))
  document.addEventListener('swapped', tell)
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') stop() })
  document.addEventListener('visibilitychange', () => { if (document.hidden) stop() })
  slider.append(picture)
  slider.addEventListener('keydown', onKey)
  for (const event of ['pointerdown', 'pointermove', 'pointerup', 'pointerleave', 'pointercancel']) slider.addEventListener(event, onPointer)
  load()
}

async function load() {
  const answer = await fetch(asked, { headers: { Accept: 'application/json' } })
  if (!answer.ok) return
  const activity = await answer.json()
  changes = activity.moments.map((/** @type {string} */ moment) => Date.parse(moment))
  from = Date.parse(activity.from)
  to = Math.max(Date.parse(activity.to), from + 1)
  total = activity.total
  more = activity.total_exact ? '' : '≥ '
  draw(activity.bins)
}

/** The moment shown, Infinity for what is now. */
function shown() {
  return Date.parse(new URL(location.href).searchParams.get('at') ?? '') || Infinity
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @returns {SVGElement}
 */
function svg(name, attributes) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value)
  return e
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} action
 */
function button(text, label, action) {
  const b = make('button', { type: 'button', class: 'quiet', 'aria-label': label }, text)
  b.addEventListener('click', action)
  return b
}

/** @param {number} time */
const across = (time) => Math.min(Math.max((time - from) / (to - from) * width, 1), width - 1)

/** @param {(number | null)[]} bins null where nothing was counted: no line is drawn there */
function draw(bins) {
  const most = Math.max(...bins.map((n) => n ?? 0), 1)
  const line = bins.flatMap((n, i) => n === null ? [] : [`${Math.round((i + 0.5) / bins.length * width)},${Math.round(height - 4 - n / most * (height - 8))}`])
  picture.replaceChildren(svg('polyline', { points: line.join(' '), class: 'rate' }),
    svg('path', { d: changes.map((one) => `M${Math.round(across(one))} ${height - 7}v7`).join(''), class: 'tick' }), here)
  place?.replaceChildren(button('←', t('script.change_before'), () => { stop(); step(-1) }), button('→', t('script.next_change'), () => { stop(); step(1) }), player, slider, told, compare)
  slider.setAttribute('aria-valuemax', String(changes.length + 1))
  tell()
}

/**
 * Says which moment is shown, or one that is pointed at.
 * @param {Event} [_]
 * @param {number} [pointed]
 */
function tell(_, pointed = shown()) {
  if (!slider.isConnected) return
  const before = upTo(changes, pointed)
  const words = pointed === Infinity ? t('script.live') : before ? t('script.moment_change', utc(pointed), before, changes.length) : `${utc(pointed)} UTC`
  here.setAttribute('d', `M${pointed === Infinity ? width - 1 : across(pointed)} 0v${height}`)
  here.classList.toggle('live', pointed === Infinity)
  const all = pointed === shown()
  told.textContent = all ? more + t('script.changes_since', total, utc(from).slice(0, 16)) : words
  if (!all) return
  slider.setAttribute('aria-valuenow', String(pointed === Infinity ? changes.length + 1 : before))
  slider.setAttribute('aria-valuetext', words)
  const moment = (/** @type {number} */ time) => new Date(time).toISOString()
  const a = pointed === Infinity ? changes.at(-2) ?? from : pointed
  const values = new URLSearchParams({ a: moment(a), b: 'now', q: new URL(asked, location.href).searchParams.get('q') ?? '' })
  const lang = new URL(location.href).searchParams.get('lang')
  if (lang) values.set('lang', lang)
  compare.setAttribute('href', `/diff?${values}`)
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  /** @type {Record<string, number>} */
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Home') go(changes[0] ?? from)
  else if (event.key === 'End') go(Infinity)
  else if (moves[event.key]) step(moves[event.key])
  else return
  stop()
  event.preventDefault()
  event.stopPropagation()
}

/**
 * The pointer shows the moment it is at; where it is let go is gone to.
 * @param {Event} raw
 */
function onPointer(raw) {
  const event = /** @type {PointerEvent} */ (raw)
  const box = slider.getBoundingClientRect()
  const at = pick(changes, from, to, (event.clientX - box.left) / box.width, near / box.width)
  const held = slider.hasPointerCapture(event.pointerId)
  switch (event.type) {
    case 'pointerdown':
      if (event.button !== 0) return
      stop()
      slider.setPointerCapture(event.pointerId)
      tell(event, at)
      break
    case 'pointermove':
      tell(event, at)
      break
    case 'pointerup':
      if (held) go(at)
      break
    default:
      if (!held || event.type === 'pointercancel') tell(event)
  }
}

/**
 * Shows the page as it was at a moment, or as it is.
 * @param {number} at
 */
async function go(at) {
  const url = new URL(location.href)
  if (at === Infinity) url.searchParams.delete('at')
  else url.searchParams.set('at', new Date(at).toISOString())
  if (url.href === location.href) {
    tell()
    return
  }
  history.pushState(history.state, '', url)
  tell()
  if (!await swap(url.href)) location.reload() // the page that says why
}

/**
 * Goes some changes on, or back.
 * @param {number} by
 */
async function step(by) {
  const next = beside(changes, shown(), by)
  if (next !== undefined) await go(next)
  else if (by < 0) say(t('script.no_change_before'))
  return next !== undefined && next !== Infinity
}

function stop() {
  clearTimeout(playing)
  playing = 0
  player.textContent = '▶'
  player.setAttribute('aria-label', t('script.play'))
}

async function play() {
  if (playing) {
    stop()
    return
  }
  if (!changes.length) {
    say(t('script.no_change'))
    return
  }
  player.textContent = '■'
  player.setAttribute('aria-label', t('script.stop'))
  const on = async () => {
    if (!await step(1)) stop()
    else if (playing) playing = setTimeout(on, pace())
  }
  playing = setTimeout(on, pace())
  if (shown() === Infinity) await go(changes[0])
}
