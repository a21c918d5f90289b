"use strict";
// First of all: what goes wrong later is seen by a person, and by a test.
addEventListener("error", (event) => {
  document.documentElement.dataset.error = event.message;
  document.getElementById("clock").textContent = `This page could not be drawn: ${event.message}`;
});
