// Starts the viewer of docs.html. The page forbids inline scripts, so this is a file.
"use strict";

SwaggerUIBundle({
  dom_id: "#viewer",
  // Addresses are relative to the page, so that the page also works below a path of a proxy.
  url: new URL("openapi.json", document.baseURI).href,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  // A reload forgets the key: it must not stay in the storage of a shared browser.
  persistAuthorization: false,
  // Without this, the viewer would send the address of the document to a service outside.
  validatorUrl: null,
});
