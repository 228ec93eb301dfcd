/* The browser fetches the file by itself; this only tells the page to ask how far it has come. */
"use strict";
document.getElementById("export").addEventListener("submit", () => htmx.trigger("#progress", "begin"));
