'use strict';
Redoc.init('openapi.json', {
  disableSearch: true,
  theme: {typography: {fontFamily: 'sans-serif', headings: {fontFamily: 'sans-serif'}}},
}, document.getElementById('redoc'));
