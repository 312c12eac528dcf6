// Which pages of a long answer stand in the document.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { load } from './module.js'

const { near } = await load('span.js')

const ten = Array(10).fill(100)
const rows = {
  'at the top the first parts are near': [ten, 0, 200, 100, { first: 0, from: 0, to: 2, before: 0, after: 700, within: 0 }],
  'above the parts, too': [ten, -150, 200, 100, { first: 0, from: 0, to: 1, before: 0, after: 800, within: 0 }],
  'in the middle those before and behind': [ten, 450, 200, 100, { first: 4, from: 3, to: 7, before: 300, after: 200, within: 50 }],
  'an edge on an edge belongs to the part below': [ten, 400, 100, 0, { first: 4, from: 4, to: 4, before: 400, after: 500, within: 0 }],
  'at the end the last': [ten, 900, 100, 50, { first: 9, from: 8, to: 9, before: 800, after: 0, within: 0 }],
  'below the parts there is the last still': [ten, 2000, 100, 50, { first: 9, from: 9, to: 9, before: 900, after: 0, within: 1100 }],
  'one part taller than all that is seen': [[5000], 2000, 800, 100, { first: 0, from: 0, to: 0, before: 0, after: 0, within: 2000 }],
  'a part without height is passed over': [[100, 0, 100], 100, 50, 0, { first: 2, from: 2, to: 2, before: 100, after: 0, within: 0 }],
}

for (const [name, [heights, top, height, spare, want]] of Object.entries(rows)) {
  test(name, () => assert.deepEqual(near(heights, top, height, spare), want))
}

test('what is near and the gaps are as tall as all parts', () => {
  const heights = Array.from({ length: 200 }, (_, i) => 50 + (i * 37) % 400)
  const all = heights.reduce((a, b) => a + b, 0)
  for (let top = -500; top < all + 500; top += 97) {
    const { from, to, before, after } = near(heights, top, 700, 1000)
    const held = heights.slice(from, to + 1).reduce((a, b) => a + b, 0)
    assert.equal(before + held + after, all, `at ${top}`)
    assert.ok(to - from < 60, `at ${top} ${to - from + 1} parts are held`)
  }
})
