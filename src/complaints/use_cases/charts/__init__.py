"""Charts as SVG: pure functions from values to text. They know nothing of complaints, of figures or of HTTP.

A chart is 360 units wide, so that its text of 13 units is legible on a phone. No meaning is in colour alone: values
stand beside their marks, and areas have patterns. Texts are wrapped, never cut. Each drawing has a title and a
description for readers who do not see it. Nothing comes from another host.
"""
