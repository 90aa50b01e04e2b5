"""What a client has to know of PF_KEY's conversation, without sockets or clocks: replies, dumps and events told apart.

Received bytes go in, a batch of back-to-back messages at a time; headers come out as columns, and all that is common is
decided for whole batches. A message becomes an object only where somebody asks for it.
"""
