/* global SwaggerUIBundle */
// Starts the interactive documentation; the page beside it needs no script.
window.addEventListener('load', () => {
  SwaggerUIBundle({
    url: '/api/openapi.json',
    dom_id: '#swagger-ui',
    validatorUrl: null,
    deepLinking: false,
    tryItOutEnabled: false,
  })
})
