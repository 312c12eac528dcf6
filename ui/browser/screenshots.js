// Takes pictures of the main pages into docs/screenshots, in both themes, on a
// desk and on a telephone. Look at them.
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { busyPrefix, startBrowser, startProgram, until } from './program.js'

const into = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))
const program = await startProgram('Customer with its own downstreams')
const browser = await startBrowser()
try {
  await mkdir(into, { recursive: true })
  const prefix = await busyPrefix(program)
  await until(async () => (await program.get('/api/v1/changes?kind=withdraw')).total > 5, 'something to see', 60_000)
  const pages = {
    home: '/', prefix: `/${prefix}`, search: '/search?q=via+6939+family+ipv4-unicast&limit=20', peers: '/peers',
    timeline: `/timeline?q=${prefix}`, graph: `/graph?q=${prefix}`, diff: `/diff?${new URLSearchParams({ q: 'peer rs1', a: '10s', b: 'now' })}`,
  }
  for (const [device, viewport] of Object.entries({ desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } })) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport, colorScheme })
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(program.url + path)
        await page.waitForTimeout(300) // what script adds to the page
        await page.screenshot({ path: `${into}${name}-${device}-${colorScheme}.png` })
      }
      await page.close()
    }
  }
} finally {
  await browser.close()
  await program.stop()
}
