// Shows the API's description with Swagger UI, from this server alone: no validator, no fonts, nothing remembered.
SwaggerUIBundle({
  url: document.getElementById("description").dataset.url,
  dom_id: "#description",
  deepLinking: true,
  validatorUrl: null,
  persistAuthorization: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
});
