"""Query strings of TMF630: fields, pages, orders and filters. They are read into plain values, and can be applied."""
