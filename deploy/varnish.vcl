# Varnish before three nodes. A node that stops says at /health/ready that it is not ready, and gets nothing from then on. Nothing is
# cached.
# For bearer tokens of 16 KiB, start it with: -p http_req_hdr_len=24k -p http_req_size=48k -p workspace_client=128k
vcl 4.1;

import directors;

probe ready {
  .url = "/health/ready";
  .interval = 1s;
  .timeout = 1s;
  .window = 1;
  .threshold = 1;
}

backend app1 { .host = "app1:8080"; .probe = ready; .first_byte_timeout = 1h; .between_bytes_timeout = 1h; }
backend app2 { .host = "app2:8080"; .probe = ready; .first_byte_timeout = 1h; .between_bytes_timeout = 1h; }
backend app3 { .host = "app3:8080"; .probe = ready; .first_byte_timeout = 1h; .between_bytes_timeout = 1h; }

sub vcl_init {
  new app = directors.round_robin();
  app.add_backend(app1);
  app.add_backend(app2);
  app.add_backend(app3);
}

sub vcl_recv {
  set req.backend_hint = app.backend();

  # Name this proxy's address in Tenancy:Proxies, and these are believed. What a client wrote into them does not go on. Varnish speaks no
  # TLS: where something in front of it does, let that one write X-Forwarded-Proto, and name it, too.
  set req.http.X-Forwarded-For = client.ip;
  set req.http.X-Forwarded-Proto = "http";
  unset req.http.X-Forwarded-Host;
  unset req.http.X-Forwarded-Prefix;
  return (pass);
}
