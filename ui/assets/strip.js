// The strip: the changes of the thing on screen as ticks over a sparkline of
// their rate. It steps from change to change, and plays them.
import { bind } from './keys.js'
import { make, say, swap } from './page.js'

const place = document.getElementById('strip')
const width = 1000
const height = 36
let activity
let playing = 0

/** Draws the strip, on pages that have one. */
export function connectStrip() {
  if (!place) return
  bind('ArrowLeft', 'change before', () => step(-1))
  bind('ArrowRight', 'next change', () => step(1))
  bind('p', 'play the changes', play)
  addEventListener('popstate', () => swap(location.href))
  document.addEventListener('swapped', () => { if (activity) draw() })
  load()
}

async function load() {
  const answer = await fetch(place.dataset.activity, { headers: { Accept: 'application/json' } })
  if (!answer.ok) return
  activity = await answer.json()
  draw()
}

const shown = () => new URL(location.href).searchParams.get('at')

function svg(name, attributes, ...children) {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value)
  e.append(...children)
  return e
}

function draw() {
  const from = Date.parse(activity.from)
  const span = Math.max(Date.parse(activity.to) - from, 1)
  const x = (time) => Math.round((Date.parse(time) - from) / span * width)
  const most = Math.max(...activity.bins, 1)
  const line = activity.bins.map((n, i) => `${Math.round((i + 0.5) / activity.bins.length * width)},${Math.round(height - 4 - n / most * (height - 8))}`)
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('polyline', { points: line.join(' '), class: 'rate' }),
    ...activity.moments.map((time) => svg('path', { d: `M${x(time)} ${height - 7}v7`, class: 'tick' })))
  const at = Date.parse(shown() ?? '')
  if (at) picture.append(svg('path', { d: `M${Math.min(Math.max(Math.round((at - from) / span * width), 1), width - 1)} 0v${height}`, class: 'here' }))
  picture.addEventListener('click', (event) => {
    const box = picture.getBoundingClientRect()
    go(new Date(from + (event.clientX - box.left) / box.width * span).toISOString())
  })
  const button = (text, label, action) => {
    const b = make('button', { type: 'button', class: 'quiet', 'aria-label': label }, text)
    b.addEventListener('click', action)
    return b
  }
  const values = new URLSearchParams({ a: shown() ?? activity.moments.at(-2) ?? activity.from, b: 'now', q: new URL(place.dataset.activity, location).searchParams.get('q') })
  place.replaceChildren(
    button('←', 'Change before', () => step(-1)), button('→', 'Next change', () => step(1)), button(playing ? '■' : '▶', playing ? 'Stop' : 'Play the changes', play),
    picture, make('span', {}, `${activity.total} changes since ${activity.from.slice(0, 16).replace('T', ' ')}`), make('a', { href: `/diff?${values}` }, 'Compare…'))
}

/** Shows the page as it was at a moment, without one as it is. */
async function go(at) {
  const url = new URL(location.href)
  if (at) url.searchParams.set('at', at)
  else url.searchParams.delete('at')
  history.pushState(history.state, '', url)
  if (!await swap(url.href)) location.reload() // the page that says why
}

/** Goes to the change before or behind the moment shown; behind the last is now. */
async function step(by) {
  if (!activity) return false
  const at = Date.parse(shown() ?? '') || Infinity
  const next = by < 0 ? activity.moments.findLast((m) => Date.parse(m) < at) : activity.moments.find((m) => Date.parse(m) > at)
  if (by < 0 && !next) {
    say('No change before')
    return false
  }
  if (by > 0 && !shown()) return false
  await go(next)
  return Boolean(next)
}

async function play() {
  if (playing) {
    clearTimeout(playing)
    playing = 0
    draw()
    return
  }
  if (!shown() && activity?.moments.length) await go(activity.moments[0])
  const on = async () => {
    if (await step(1)) playing = setTimeout(on, 1000)
    else playing = 0
    draw()
  }
  playing = setTimeout(on, 1000)
  draw()
}
