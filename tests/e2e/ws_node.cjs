// A client of the npm package ws: node ws_node.cjs URL CONVERSATION [OPTIONS]. Prints what came as one line of JSON.
"use strict";

const WebSocket = require("ws");

const [url, conversation, options = "{}"] = process.argv.slice(2);
const { protocols = [], ...settings } = JSON.parse(options);
const socket = new WebSocket(url, protocols, { maxPayload: 64 << 20, ...settings });
const told = { messages: [] };

function text(length) {
  return "\u20ac uro ".repeat(Math.ceil(length / 6)).slice(0, length);
}

function bytes(length) {
  const data = Buffer.alloc(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    data[i] = state >> 16;
  }
  return data;
}

// Sends one after the other and compares the echo.
const echoes = [text(5), "", text(1000), text(1 << 20), bytes(0), bytes(1), bytes(70000), bytes(1 << 20), Buffer.alloc(1 << 20)];

const conversations = {
  echo() {
    let next = 0;
    socket.on("message", (data, isBinary) => {
      const sent = Buffer.from(echoes[next]);
      told.messages.push(isBinary === Buffer.isBuffer(echoes[next]) && sent.equals(data));
      next++;
      if (next === echoes.length) {
        socket.close(1000, "all came");
      } else {
        socket.send(echoes[next]);
      }
    });
    socket.send(echoes[0]);
  },

  // All at once, and each in fragments.
  fragments() {
    socket.on("message", (data, isBinary) => {
      told.messages.push([isBinary, data.length]);
      if (told.messages.length === 40) {
        socket.close(1000);
      }
    });
    for (let i = 0; i < 20; i++) {
      socket.send(text(i), { fin: false, binary: false });
      socket.ping("between");
      socket.send("", { fin: false });
      socket.send(text(100), { fin: true });
      socket.send(bytes(50000), { fin: false });
      socket.send(bytes(50000), { fin: true });
    }
  },

  ping() {
    socket.on("pong", (data) => {
      told.messages.push(data.toString());
      socket.close(3000, "w\u00f6rds");
    });
    socket.ping("are you there?");
  },

  // The module pings and closes.
  told() {
    socket.on("ping", (data) => told.messages.push(data.toString()));
    socket.send("!do ping @ hello\nclose @ 4001 by the module");
  },

  nothing() {
    socket.close();
  },
};

const deadline = setTimeout(() => {
  console.error("not done in time: " + JSON.stringify(told));
  process.exit(1);
}, 60000);

socket.on("open", () => {
  told.extensions = socket.extensions;
  told.protocol = socket.protocol;
  conversations[conversation]();
});
socket.on("error", (error) => {
  told.error = error.message;
});
socket.on("close", (code, reason) => {
  clearTimeout(deadline);
  told.code = code;
  told.reason = reason.toString();
  console.log(JSON.stringify(told));
});
