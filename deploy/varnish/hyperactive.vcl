# Varnish (6.6 or later) in front of a node of Hyperactive, as a cache that the node purges: most readers are answered
# without asking the node, and go on being answered while it is down. Varnish notes all that it does in a file of shared
# memory, with addresses and what was asked for: the mask leaves both out, for varnishlog and varnishncsa as well.
#
#     varnishd -a :80 -f /etc/varnish/hyperactive.vcl -s malloc,256m -p vsl_mask=-SessOpen,-ReqStart,-ReqURL,-ReqHeader,-ReqUnset,-ReqAcct,-BereqURL,-BereqHeader,-BereqUnset,-BerespHeader,-BerespUnset,-ObjHeader,-RespHeader,-RespUnset,-Proxy,-ProxyGarbage,-H2RxHdr,-H2RxBody,-H2TxHdr,-H2TxBody,-BogoHeader,-LostHeader
#
# Varnish speaks no TLS: a server that does (hyperactive.conf with port 6081 in place of 8080, say) stands in front of it.
# Change the names in capitals. In the node's settings:
#
#     url: https://NEWS.EXAMPLE.ORG
#     proxies:
#       - { url: 'http://127.0.0.1:80', method: BAN, secret: CHANGE-THIS-SECRET }

vcl 4.1;

import std;

backend node {
  .host = "127.0.0.1";
  .port = "8080";
  .connect_timeout = 5s;
}

sub vcl_recv {
  # Nobody's address goes on to the node.
  unset req.http.X-Forwarded-For;

  # An older page is given out for ten seconds while the new one is fetched; longer, once the node has not answered.
  if (req.restarts == 0) {
    set req.grace = 10s;
  } else {
    set req.grace = 7d;
  }

  # The node says what does not hold any more: keys of what has changed, of which a page has those that it was made of.
  if (req.method == "BAN") {
    if (req.http.Purge-Secret != "CHANGE-THIS-SECRET") {
      return (synth(403));
    }
    if (req.http.Surrogate-Key !~ "^[A-Za-z0-9_-]+( [A-Za-z0-9_-]+)*$") {
      return (synth(400));
    }
    if (std.ban("obj.http.Surrogate-Key ~ (^|\s)(" + regsuball(req.http.Surrogate-Key, " ", "|") + ")(\s|$)")) {
      return (synth(200));
    }
    return (synth(500));
  }

  # Peers, and programs: what they wait for comes as it happens.
  if (req.url ~ "^/gateway/") {
    return (pipe);
  }
  if (req.method != "GET" && req.method != "HEAD") {
    return (pass);
  }
  # An open page is told what is new: each stream is its own.
  if (req.url ~ "^(/[a-z][a-z])?/live/") {
    return (pass);
  }
  # Whoever is signed in is answered by the node alone. Other cookies are nothing to it.
  if (req.http.Cookie ~ "(^|;\s*)(__Host-)?hyperactive=") {
    return (pass);
  }
  unset req.http.Cookie;

  # The language that a browser asks for first among those that the node speaks; otherwise site.language.
  if (req.http.Accept-Language ~ "(?i)(^|,)\s*(en|de|es|fr|ar)(-[a-z0-9-]*)?\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[0-9.]+\s*)?(,|$)") {
    set req.http.Accept-Language = std.tolower(regsub(req.http.Accept-Language,
      "(?i)^(?:[^,]*,)*?\s*(en|de|es|fr|ar)(?:-[a-z0-9-]*)?\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,.*)?$", "\1"));
  } else {
    set req.http.Accept-Language = "en";
  }
  return (hash);
}

# Of an address's parameters these make another page, and no others; the node sees all of them.
sub vcl_hash {
  hash_data(regsub(req.url, "\?.*$", ""));
  if (req.url ~ "^[^?]*\?(?:[^&]*&){0,19}before=") {
    hash_data(regsub(req.url, "^[^?]*\?(?:[^&]*&){0,19}?(before=[^&]*).*$", "\1"));
  }
  if (req.url ~ "^[^?]*\?(?:[^&]*&){0,19}after=") {
    hash_data(regsub(req.url, "^[^?]*\?(?:[^&]*&){0,19}?(after=[^&]*).*$", "\1"));
  }
  if (req.url ~ "^[^?]*\?(?:[^&]*&){0,19}comments=") {
    hash_data(regsub(req.url, "^[^?]*\?(?:[^&]*&){0,19}?(comments=[^&]*).*$", "\1"));
  }
  if (req.http.Host) {
    hash_data(std.tolower(req.http.Host));
  }
  return (lookup);
}

sub vcl_pipe {
  unset bereq.http.X-Forwarded-For;
}

sub vcl_backend_response {
  # A node that stumbles leaves readers what there was.
  if (beresp.status >= 500 && bereq.is_bgfetch) {
    return (abandon);
  }
  # Kept is what `Cache-Control` says that everybody may have, and nothing else; what is not does not hold others up.
  if (beresp.status != 200 || beresp.http.Cache-Control !~ "s-maxage|immutable") {
    set beresp.ttl = 2m;
    set beresp.uncacheable = true;
    return (deliver);
  }
  # One form is kept, and unpacked for the few who do not take it.
  if (beresp.http.Content-Type ~ "text|xml|json|svg") {
    set beresp.do_gzip = true;
  }
  # How long it may be given out while the node is down; while it is up, vcl_recv's rule holds.
  set beresp.grace = 7d;
  # To be asked about it again, instead of being sent it anew.
  set beresp.keep = 7d;
  return (deliver);
}

sub vcl_deliver {
  # Once more, for what there was before.
  if (resp.status >= 500 && req.restarts == 0 && (req.method == "GET" || req.method == "HEAD")) {
    return (restart);
  }
  unset resp.http.Surrogate-Key;
  unset resp.http.X-Varnish;
  unset resp.http.Via;
  # To see that it works.
  if (obj.hits > 0) {
    set resp.http.X-Cache = "HIT";
  } else {
    set resp.http.X-Cache = "MISS";
  }
}

# What Varnish says itself shows no address either.
sub vcl_synth {
  set resp.http.Cache-Control = "no-store";
  set resp.http.Content-Type = "text/plain";
  synthetic(resp.reason);
  return (deliver);
}
