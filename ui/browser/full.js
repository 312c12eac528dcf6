// Walks through the pages with a full table and prints what a reader waits for:
//
//   npm run full -- --mrt FILE    # TABLE_DUMP_V2, such as a table of RouteViews or RIS
//
// The file is played into the program over BGP. Not a test: the figures are those
// of the machine.
import { spawn } from 'node:child_process'
import { createHistogram, performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { binary, busyPrefix, startBrowser, startProgram, until } from './program.js'

const { values } = parseArgs({ options: { mrt: { type: 'string' }, lookups: { type: 'string', default: '500' } } })
if (!values.mrt) {
  console.error('npm run full -- --mrt FILE (TABLE_DUMP_V2; gzip, bzip2 or zstd)')
  process.exit(2)
}

const program = await startProgram('Customer', { more: 'dynamic_neighbors:\n  - { prefix: 127.1.0.0/16, group: replay, max_prefixes: 2000000 }' })
let browser
try {
  const routes = await play(values.mrt)
  console.log(`full table            ${routes} routes`)
  await lookups(Number(values.lookups))
  browser = await startBrowser()
  await walk()
} finally {
  await browser?.close()
  await program.stop()
}

/** Plays the file until the routes of its peers are in. */
async function play(file) {
  const replay = spawn(binary, ['replay', '--to', `127.0.0.1:${program.bgp}`, '--speed', '0', '--stay', file], { stdio: ['ignore', 'ignore', 'inherit'] })
  const stop = program.stop
  program.stop = async () => { replay.kill('SIGTERM'); await stop() }
  replay.once('exit', (code) => { if (code) process.exit(code) })
  let last = -1
  return until(async () => {
    const { total } = await program.get('/api/v1/routes?q=group+replay&limit=1')
    const same = total > 0 && total === last
    last = total
    await new Promise((resolve) => setTimeout(resolve, 2000)) // until nothing is added any more
    return same && total
  }, 'the full table', 300_000)
}

/** Asks for the pages of prefixes of the table one after another. */
async function lookups(count) {
  const prefixes = []
  let cursor = ''
  while (prefixes.length < count) {
    const answer = await program.get(`/api/v1/routes?q=group+replay&limit=1000${cursor && `&cursor=${cursor}`}`)
    prefixes.push(...answer.routes.filter((_, i) => i % 7 === 0).map((r) => r.prefix))
    cursor = answer.next_cursor
    if (!cursor) break
  }
  const histogram = createHistogram()
  const before = await served()
  for (const prefix of prefixes.slice(0, count)) {
    const begin = performance.now()
    await (await fetch(`${program.url}/${prefix}`, { headers: { Accept: 'text/html' } })).text()
    histogram.record(Math.max(1, Math.round((performance.now() - begin) * 1000)))
  }
  const ms = (n) => `${(n / 1000).toFixed(2)} ms`
  console.log(`lookup page, HTTP     p50 ${ms(histogram.percentile(50))}, p99 ${ms(histogram.percentile(99))} of ${count}`)
  const after = await served()
  console.log(`lookup page, server   mean ${ms((after.sum - before.sum) / (after.count - before.count) * 1e6)} (target: p50 5 ms)`)
}

/** How many pages of prefixes the server has answered, and how many seconds that took. */
async function served() {
  const text = await (await fetch(`${program.admin}/metrics`)).text()
  const of = (name) => Number(text.match(new RegExp(`request_duration_seconds_${name}\\{route="/:target/:length"\\} (\\S+)`))?.[1] ?? 0)
  return { sum: of('sum'), count: of('count') }
}

/** Opens pages in the browser as a reader does. */
async function walk() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.setDefaultTimeout(30_000)
  const wrong = []
  page.on('pageerror', (error) => wrong.push(error.message))
  const loaded = () => page.evaluate(() => {
    const request = performance.getEntriesByType('navigation')[0]
    const paint = performance.getEntriesByName('first-contentful-paint')[0]
    return { at: performance.timeOrigin, text: `, first byte ${(request?.responseStart - request?.requestStart).toFixed(1)} ms, painted at ${paint?.startTime.toFixed(0)} ms` }
  })
  const step = async (name, action) => {
    const before = await loaded()
    const begin = performance.now()
    await action()
    const took = performance.now() - begin
    const after = await loaded()
    console.log(`${name.padEnd(22)}${took.toFixed(0).padStart(5)} ms${after.at === before.at ? ', in place' : after.text}`)
  }
  const { routes } = await program.get('/api/v1/routes?q=group+replay&limit=50')
  const prefix = routes.at(-1).prefix
  await step('first page', () => page.goto(program.url))
  await step('prefix', async () => {
    await page.fill('#q', prefix)
    await page.press('#q', 'Enter')
    await page.waitForURL(`**/${prefix}`)
  })
  await step('search', () => page.goto(`${program.url}/search?q=via+${routes.at(-1).as_path[1]}`))
  await step('filter', async () => {
    await page.locator('.facets a').first().click()
    await page.waitForLoadState()
  })
  await step('search, everything', () => page.goto(`${program.url}/search?q=group+replay`))
  await step('next page', async () => {
    const rows = await page.locator('tr.prefix').count()
    await page.keyboard.press('n')
    await until(async () => await page.locator('tr.prefix').count() > rows, 'the next page')
  })
  await step('1,000 rows', () => page.goto(`${program.url}/search?q=group+replay&limit=1000`))
  await step('order', () => page.goto(`${program.url}/${prefix}?sort=path`))
  await step('graph', () => page.goto(`${program.url}/graph?q=via+${routes.at(-1).as_path[1]}`))
  await step('live', () => page.goto(`${program.url}/peers`))
  const at = () => page.locator('.live time').first().getAttribute('datetime')
  const before = await at()
  await step('live update', () => until(async () => await at() !== before, 'a fresh page', 60_000))
  const changed = await busyPrefix(program)
  await step('prefix with changes', () => page.goto(`${program.url}/${changed}`))
  await step('a change back', async () => {
    await page.waitForSelector('#strip svg')
    await page.keyboard.press('ArrowLeft')
    await page.waitForSelector('.live.past')
  })
  await step('compare', async () => {
    await page.click('#strip >> text=Compare')
    await page.waitForURL('**/diff?**')
  })
  if (wrong.length) throw new Error(`errors on the pages: ${wrong.join('; ')}`)
}
