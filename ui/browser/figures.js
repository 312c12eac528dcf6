// Prints what a reader waits for on the demonstration: npm run figures. Not a
// test: the figures are those of the machine and of what else it does.
import { busyPrefix, startBrowser, startProgram } from './program.js'

const rounds = 9
const program = await startProgram('Customer with its own downstreams')
const browser = await startBrowser()
const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
try {
  const prefix = await busyPrefix(program)
  console.log('page                      first byte   painted   moved      (medians of visits with a warm cache; target: painted <= 300 ms)')
  for (const path of ['/', `/${prefix}`, '/search?q=peer+rs1', '/peers', '/peers/rs1', `/graph?q=${prefix}`, '/help']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    const seen = []
    for (let i = 0; i <= rounds; i++) {
      await page.goto(program.url + path, { waitUntil: 'load' })
      seen.push(await page.evaluate(() => new Promise((resolve) => {
        const shifts = new PerformanceObserver(() => {})
        shifts.observe({ type: 'layout-shift', buffered: true })
        new PerformanceObserver((list) => {
          const paint = list.getEntriesByName('first-contentful-paint')[0].startTime
          const { requestStart, responseStart } = performance.getEntriesByType('navigation')[0]
          resolve({ paint, byte: responseStart - requestStart, shift: shifts.takeRecords().reduce((sum, e) => sum + e.value, 0) })
        }).observe({ type: 'paint', buffered: true })
      })))
    }
    seen.shift() // the first visit fills the cache
    const of = (name) => middle(seen.map((s) => s[name]))
    console.log(`${path.padEnd(24)} ${of('byte').toFixed(1).padStart(8)} ms ${of('paint').toFixed(0).padStart(6)} ms   ${of('shift').toFixed(3)}`)
    await page.close()
  }
  console.log('scrolled                   frames   per second   median      95 %   longest      (of 150 turns of the wheel; Chromium draws with the processor here)')
  for (const path of ['/search?q=peer+rs1', '/search?q=peer+rs1&limit=1000']) {
    const list = await frames(program.url + path)
    const at = (q) => `${list[Math.ceil(q * list.length) - 1].toFixed(0).padStart(4)} ms`
    const rate = (1000 * list.length) / list.reduce((a, b) => a + b, 0)
    console.log(`${path.padEnd(30)} ${String(list.length).padStart(5)} ${rate.toFixed(0).padStart(8)}     ${at(0.5)}   ${at(0.95)}   ${at(1)}`)
  }
} finally {
  await browser.close()
  await program.stop()
}

/** The lengths of the frames while the wheel is turned, the shortest first. */
async function frames(url) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(url, { waitUntil: 'networkidle' })
  await page.mouse.move(600, 450)
  const handle = await page.evaluateHandle(() => {
    const seen = []
    let last = 0
    const tick = (now) => {
      if (last) seen.push(now - last)
      last = now
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
    return seen
  })
  for (let i = 0; i < 150; i++) {
    await page.mouse.wheel(0, 150)
    await page.waitForTimeout(16)
  }
  const lengths = await handle.jsonValue()
  await page.close()
  return lengths.sort((a, b) => a - b)
}
