// The running program with its demonstration, and a page of it for every test of a
// file that imports this: a test fails when the browser complains about its page.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, afterEach, before, beforeEach } from 'node:test'
import { busyPrefix, startBrowser, startProgram } from './program.js'

export const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export let program, browser, page, prefix
let wrong = [] // what the browser complained about

before(async () => {
  program = await startProgram()
  browser = await startBrowser()
  prefix = await busyPrefix(program)
})
after(async () => {
  await browser?.close()
  await program?.stop()
})
beforeEach(async () => { page = await open() })
afterEach(async () => {
  await page.context().close()
  assert.deepEqual(wrong, [])
  wrong = []
})

export async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  const p = await context.newPage()
  p.setDefaultTimeout(10_000)
  p.on('pageerror', (error) => wrong.push(error.message))
  p.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
  return p
}

export const go = (path, p = page) => p.goto(program.url + path)

/** Lets the browser complain about something that the test brought about. */
export function forgive(part) {
  wrong = wrong.filter((text) => !text.includes(part))
}
