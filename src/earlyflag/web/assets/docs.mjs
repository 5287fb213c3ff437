/* global SwaggerUIBundle */
// Starts the interactive documentation; the page beside it needs no script.
// What it draws stands inside our page, which has a first heading already.
function fit(place) {
  for (const heading of place.querySelectorAll('h1')) {
    heading.setAttribute('role', 'heading')
    heading.setAttribute('aria-level', '2')
  }
}

window.addEventListener('load', () => {
  const place = document.getElementById('swagger-ui')
  new MutationObserver(() => fit(place)).observe(place, { childList: true, subtree: true })
  SwaggerUIBundle({
    url: '/api/openapi.json',
    dom_id: '#swagger-ui',
    validatorUrl: null,
    deepLinking: false,
    tryItOutEnabled: false,
  })
})
