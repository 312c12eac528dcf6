// The chosen theme is set before anything is painted; without one the system
// decides.
'use strict'
try {
  const chosen = localStorage.getItem('ribglass.theme')
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen
} catch {
  // Storage can be forbidden: then the system decides.
}
