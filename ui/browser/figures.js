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
} finally {
  await browser.close()
  await program.stop()
}
