// Moments of a span of time, as a strip shows them. Times are in milliseconds;
// Infinity is what is now and goes on.

/**
 * Puts a fraction of a span to the change that is nearest, when one is near.
 * @param {number[]} changes in order
 * @param {number} from where the span begins
 * @param {number} to where it ends
 * @param {number} fraction of the span, from 0 to 1
 * @param {number} near what fraction is near
 * @returns {number} a change, a time between them, or Infinity at the end
 */
export function pick(changes, from, to, fraction, near) {
  if (fraction >= 1 - near / 2) return Infinity
  const time = from + Math.max(fraction, 0) * (to - from)
  const reach = near * (to - from)
  let best = time
  let away = reach
  for (const one of changes) {
    if (Math.abs(one - time) <= away) {
      best = one
      away = Math.abs(one - time)
    }
  }
  return best
}

/**
 * Counts the changes up to a moment.
 * @param {number[]} changes in order
 * @param {number} at
 */
export function upTo(changes, at) {
  return changes.filter((one) => one <= at).length
}

/**
 * Goes some changes on from a moment, or back. Behind the last is what is now.
 * @param {number[]} changes in order
 * @param {number} at
 * @param {number} by
 * @returns {number | undefined} undefined when there is no such moment
 */
export function beside(changes, at, by) {
  if (by < 0) {
    const before = changes.filter((one) => one < at)
    return before.at(Math.max(by, -before.length)) // undefined of none
  }
  if (at === Infinity) return undefined
  return changes.filter((one) => one > at).at(by - 1) ?? Infinity
}

/**
 * Prints a time to the second, in UTC.
 * @param {number} time
 */
export function utc(time) {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ')
}
