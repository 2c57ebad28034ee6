'use strict';
window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  // Their validator is on another server.
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
