// Which of many parts that stand below each other are near to what is seen.

/**
 * @typedef {object} Near
 * @property {number} first the part at the upper edge of what is seen
 * @property {number} from the first part that is near
 * @property {number} to the last part that is near
 * @property {number} before the height of the parts before from
 * @property {number} after the height of the parts behind to
 * @property {number} within how far the upper edge is below that of the first part
 */

/**
 * Finds the parts that are seen or less than spare away. There is at least one part.
 * @param {number[]} heights of the parts, in pixels
 * @param {number} top the upper edge of what is seen, from that of the first part
 * @param {number} height of what is seen
 * @param {number} spare
 * @returns {Near}
 */
export function near(heights, top, height, spare) {
  const found = { first: heights.length - 1, from: -1, to: 0, before: 0, after: 0, within: 0 }
  let edge = 0
  let seen = false
  heights.forEach((h, i) => {
    const end = edge + h
    if (!seen && (end > top || i === heights.length - 1)) {
      seen = true
      found.first = i
      found.within = Math.max(top - edge, 0)
    }
    const last = i === heights.length - 1
    if (found.from < 0 && (end > top - spare || last)) {
      found.from = i
      found.to = i
      found.before = edge
    } else if (edge < top + height + spare) {
      found.to = i
    }
    edge = end
  })
  for (const h of heights.slice(found.to + 1)) found.after += h
  return found
}
